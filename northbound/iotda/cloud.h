#pragma once
#include <asio/any_io_executor.hpp>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "northbound/cloud.h"
#include "northbound/mqtt/session.h"
#include "northbound/pacer.h"
#include "northbound/settings.h"

namespace fieldgate::northbound::iotda {

/// Huawei Cloud IoTDA over MQTT. Every attempt signs anew (signature.h); after CONNACK come the
/// subscriptions and sdk_info, and only when that is acknowledged connect() has succeeded. The
/// pacer covers all that is published.
class MqttCloud : public Cloud {
public:
    /// `settings` and `pacer` must outlive it. `utc_now`: for signatures and events.
    MqttCloud(const asio::any_io_executor& loop, const PlatformSettings& settings, Pacer& pacer,
              std::function<Utc()> utc_now);

    asio::awaitable<Result<void>> connect() override;
    asio::awaitable<std::optional<Error>> lost(std::chrono::milliseconds patience) override;
    asio::awaitable<Result<void>> publish(const Parcel& parcel) override;
    asio::awaitable<Result<void>> report_status(std::span<const SubDeviceStatus> statuses) override;
    asio::awaitable<void> disconnect() override;

    const mqtt::Session& session() const { return session_; }

private:
    asio::awaitable<Result<void>> introduce();
    void take(const mqtt::Message& message);
    std::string next_event_id();

    const PlatformSettings& settings_;
    std::function<Utc()> utc_now_;
    mqtt::Session session_;
    std::mt19937_64 chance_;
};

/// How the session of this platform is to be set up.
mqtt::SessionSettings session_settings(const PlatformSettings& settings);

}  // namespace fieldgate::northbound::iotda
