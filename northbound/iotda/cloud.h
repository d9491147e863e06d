#pragma once
#include <array>
#include <asio/any_io_executor.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <string>

#include "northbound/cloud.h"
#include "northbound/iotda/downlink.h"
#include "northbound/mqtt/session.h"
#include "northbound/pacer.h"
#include "northbound/settings.h"

namespace fieldgate::northbound::iotda {

/// Huawei Cloud IoTDA over MQTT. Every attempt signs anew (signature.h); after CONNACK come the
/// subscriptions and sdk_info, and only when that is acknowledged connect() has succeeded. The
/// pacer covers all that is published.
class MqttCloud : public Cloud {
public:
    /// `settings`, `pacer` and `sizes` must outlive it. `utc_now`: for signatures and events.
    MqttCloud(const asio::any_io_executor& loop, const PlatformSettings& settings, Pacer& pacer,
              PayloadLimit& sizes, std::function<Utc()> utc_now);

    asio::awaitable<Result<void>> connect(std::function<void()> alive) override;
    asio::awaitable<Result<Downlink>> next(std::chrono::milliseconds patience) override;
    asio::awaitable<Result<void>> answer(std::string request_id, Answer answer, Rank rank) override;
    asio::awaitable<Result<void>> publish(const Parcel& parcel) override;
    asio::awaitable<Result<void>> tell(const Announcement& announcement) override;
    asio::awaitable<void> disconnect() override;

    const mqtt::Session& session() const { return session_; }
    /// Messages and events of the platform that were passed over in silence.
    std::uint64_t passed_over() const;

private:
    asio::awaitable<Result<void>> introduce(std::function<void()> alive);
    asio::awaitable<Result<void>> report_status(StatusReport report);
    void take(const mqtt::Message& message);
    void pass_over(const Decoded::Silence& silence);
    void note_drops();
    std::string next_event_id();

    const PlatformSettings& settings_;
    const PayloadLimit& sizes_;
    std::function<Utc()> utc_now_;
    mqtt::Session session_;
    std::mt19937_64 chance_;
    std::deque<Downlink> came_;  // out of one message
    std::array<std::uint64_t, passed_kinds> passed_{};
    std::array<bool, passed_kinds> told_{};  // that there are such, on this connection
    std::uint64_t drops_told_ = 0;
};

/// How the session of this platform is to be set up.
mqtt::SessionSettings session_settings(const PlatformSettings& settings);

}  // namespace fieldgate::northbound::iotda
