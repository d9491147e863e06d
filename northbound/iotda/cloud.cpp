#include "northbound/iotda/cloud.h"

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "northbound/iotda/payload.h"
#include "northbound/iotda/signature.h"
#include "northbound/iotda/topics.h"

namespace fieldgate::northbound::iotda {
namespace {

// Of bandwidth in the window; more would only wait in buffers, out of the reach of live data.
constexpr double window_seconds = 5;

constexpr std::size_t failures_logged_max = 5;

void log_failures(const StatusResponse& response) {
    if (response.failures.empty()) return;
    const std::size_t shown = std::min(response.failures.size(), failures_logged_max);
    for (std::size_t i = 0; i < shown; ++i) {
        const StatusResponse::Failure& failure = response.failures[i];
        log::warning("the platform refused a sub-device's status",
                     {{"device", failure.device_id},
                      {"code", failure.code},
                      {"why", failure.message},
                      {"refused", std::to_string(response.failures.size())}});
    }
}

}  // namespace

mqtt::SessionSettings session_settings(const PlatformSettings& settings) {
    mqtt::SessionSettings session;
    session.tls = settings.scheme == Scheme::mqtts;
    session.host = settings.host;
    session.port = settings.port;
    session.ca_file = settings.ca_file;
    session.certificate_file = settings.identity.certificate_file;
    session.key_file = settings.identity.key_file;
    session.keep_alive = settings.keep_alive;
    const double bytes = settings.limits.bytes_per_second * window_seconds;
    if (std::isfinite(bytes)) session.window_bytes = static_cast<std::size_t>(bytes);
    return session;
}

MqttCloud::MqttCloud(const asio::any_io_executor& loop, const PlatformSettings& settings,
                     Pacer& pacer, std::function<Utc()> utc_now)
    : settings_(settings),
      utc_now_(std::move(utc_now)),
      session_(loop, session_settings(settings), pacer),
      chance_(std::random_device()()) {}

asio::awaitable<Result<void>> MqttCloud::connect() {
    Credentials credentials = sign(settings_.device_id, settings_.identity, utc_now_());
    mqtt::Login login;
    login.client_id = std::move(credentials.client_id);
    login.username = std::move(credentials.username);
    login.password = std::move(credentials.password);
    const Result<void> connected = co_await session_.connect(std::move(login));
    if (!connected) co_return connected;
    const Result<void> introduced = co_await introduce();
    if (!introduced && session_.up()) co_await session_.disconnect();
    co_return introduced;
}

asio::awaitable<Result<void>> MqttCloud::introduce() {
    std::vector<std::string> filters = downlink_filters(settings_.device_id);
    filters.insert(filters.end(), settings_.topics.begin(), settings_.topics.end());
    const Result<void> subscribed = co_await session_.subscribe(std::move(filters));
    // The platform sends its own topics unasked (protocol reference 1.6): no reason to stay away.
    if (!subscribed && subscribed.error().code != Errc::refused) co_return subscribed;
    if (!subscribed) log::warning("subscription refused", {{"why", subscribed.error().what}});
    std::string topic = events_up_topic(settings_.device_id);
    std::string payload = encode_sdk_info(FIELDGATE_VERSION, utc_now_());
    const Result<void> told = co_await session_.publish(std::move(topic), std::move(payload));
    co_return told;
}

asio::awaitable<std::optional<Error>> MqttCloud::lost(std::chrono::milliseconds patience) {
    const auto until = Event::Clock::now() + patience;
    for (;;) {
        const Result<mqtt::Message> message = co_await session_.next(until);
        if (message) {
            take(*message);
        } else {
            if (message.error().code == Errc::timeout) co_return std::nullopt;
            co_return message.error();
        }
    }
}

asio::awaitable<Result<void>> MqttCloud::publish(const Parcel& parcel) {
    std::string topic = parcel.own() ? own_report_topic(settings_.device_id)
                                     : batch_report_topic(settings_.device_id);
    std::string payload = encode(parcel);
    const Result<void> sent = co_await session_.publish(std::move(topic), std::move(payload));
    co_return sent;
}

asio::awaitable<Result<void>> MqttCloud::report_status(std::span<const SubDeviceStatus> statuses) {
    std::vector<SubDeviceStatus> known;
    for (const SubDeviceStatus& device : statuses)
        if (device.status != DeviceStatus::unknown) known.push_back(device);
    for (std::size_t i = 0; i < known.size(); i += statuses_per_request_max) {
        const std::size_t count = std::min(statuses_per_request_max, known.size() - i);
        const std::span<const SubDeviceStatus> part(known.data() + i, count);
        std::string topic = events_up_topic(settings_.device_id);
        std::string payload = encode_status(part, next_event_id(), utc_now_());
        const Result<void> sent = co_await session_.publish(std::move(topic), std::move(payload));
        if (!sent) co_return sent;
    }
    co_return Result<void>();
}

asio::awaitable<void> MqttCloud::disconnect() { return session_.disconnect(); }

void MqttCloud::take(const mqtt::Message& message) {
    if (message.topic != events_down_topic(settings_.device_id)) return;
    const Result<std::vector<StatusResponse>> responses = decode_status_responses(message.payload);
    if (!responses) {
        log::warning("an event of the platform cannot be read", {{"why", responses.error().what}});
        return;
    }
    for (const StatusResponse& response : *responses) log_failures(response);
}

// 36 characters like a random UUID: [0-9a-f] and hyphens (protocol reference 4.0).
std::string MqttCloud::next_event_id() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string id = "00000000-0000-4000-8000-000000000000";
    for (char& c : id)
        if (c == '0') c = digits[chance_() & 0xF];
    return id;
}

}  // namespace fieldgate::northbound::iotda
