#pragma once
#include <asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/event.h"
#include "daemon/site/site.h"
#include "northbound/iotda/cloud.h"

namespace fieldgate {

/// The road to the platform that is used now. Another may take its place while the gateway runs:
/// what is under way on the old one fails, as with any lost link, what came over it is still
/// heard, and the next connect() is another's. Runs on the loop.
class Road : public northbound::Cloud {
public:
    using Mqtt = northbound::iotda::MqttCloud;

    /// All that a road shares with the others; must outlive it.
    struct Shared {
        northbound::Pacer& pacer;
        northbound::PayloadLimit& sizes;
        northbound::Goodput& goodput;
        std::function<JudgedTime()> time;
    };

    Road(const asio::any_io_executor& loop, Shared shared, const SitePtr& site);

    /// From now on the way that `site` says; the link of before is lost at once, with a DISCONNECT,
    /// and so is an attempt to connect that is under way. Returns the old road,
    /// which is to be kept for a while: its library's threads end in their own time.
    std::shared_ptr<Mqtt> replace(const SitePtr& site);
    /// Waits until `until`, or sooner if the road has been replaced.
    asio::awaitable<void> replaced(Instant until);
    /// How many there have been.
    std::uint64_t number() const { return number_; }
    const Mqtt& now() const { return *mqtt_; }

    asio::awaitable<Result<void>> connect(std::function<void()> alive) override;
    asio::awaitable<Result<northbound::Downlink>> next(std::chrono::milliseconds patience) override;
    asio::awaitable<Result<void>> answer(std::string request_id, northbound::Answer answer,
                                         northbound::Rank rank) override;
    asio::awaitable<Result<void>> publish(const northbound::Parcel& parcel) override;
    asio::awaitable<Result<void>> tell(const northbound::Announcement& announcement) override;
    bool believes(Utc told) override { return mqtt_->believes(told); }
    asio::awaitable<void> disconnect() override;

private:
    std::shared_ptr<Mqtt> make(const SitePtr& site) const;

    asio::any_io_executor loop_;
    Shared shared_;
    std::shared_ptr<Mqtt> mqtt_;  // who is at work on it holds it
    std::shared_ptr<Mqtt> old_;   // what came over it is still heard
    std::uint64_t number_ = 1;
    Event replaced_;
};

}  // namespace fieldgate
