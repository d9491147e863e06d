#include "northbound/iotda/cloud.h"

#include <algorithm>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <numeric>
#include <span>
#include <utility>

#include "base/log.h"
#include "northbound/iotda/announcement.h"
#include "northbound/iotda/answers.h"
#include "northbound/iotda/payload.h"
#include "northbound/iotda/signature.h"
#include "northbound/iotda/sub_devices.h"
#include "northbound/iotda/topics.h"

namespace fieldgate::northbound::iotda {
namespace {

using Clock = std::chrono::steady_clock;

// CONNACK: malformed client id, wrong password, not authorised. Which of them says that the hour is
// not the platform's is written nowhere (protocol reference 1.2, 1.5).
bool is_login_refused(const Result<void>& connected) {
    if (connected || connected.error().code != Errc::refused) return false;
    const int code = connected.error().detail;
    return code == 2 || code == 4 || code == 5;
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
    session.unread = {system_topic(settings.device_id, "messages/down")};
    return session;
}

MqttCloud::MqttCloud(const asio::any_io_executor& loop, const PlatformSettings& settings,
                     Pacer& pacer, PayloadLimit& sizes, Goodput& goodput,
                     std::function<JudgedTime()> time)
    : settings_(settings),
      sizes_(sizes),
      time_(std::move(time)),
      session_(loop, session_settings(settings), pacer, sizes, goodput),
      chance_(std::random_device()()) {}

asio::awaitable<Result<void>> MqttCloud::connect(std::function<void()> alive) {
    const Result<void> examined = co_await examine(alive);
    if (!examined) co_return examined;
    came_.clear();
    told_ = {};
    const bool proven = judged().proven;
    const bool checked = settings_.identity.check_timestamp && (proven || !hour_refused_);
    Result<void> connected = co_await log_in(checked);
    if (checked && !proven && is_login_refused(connected)) {
        alive();
        connected = co_await log_in(false);
        hour_refused_ = connected.has_value();
        if (connected)
            log::warning(
                "logged in with an hour that is not checked: ours was refused, and the "
                "clock is not proven");
    }
    if (!connected) co_return connected;
    alive();
    const Result<void> introduced = co_await introduce(alive);
    alive();
    if (!introduced && session_.up()) co_await session_.disconnect();
    co_return introduced;
}

asio::awaitable<Result<void>> MqttCloud::log_in(bool checked) {
    Credentials credentials = sign(settings_.device_id, settings_.identity, checked, judged().at);
    mqtt::Login login;
    login.judged_at = std::chrono::floor<std::chrono::seconds>(judged_at_);
    login.client_id = std::move(credentials.client_id);
    login.username = std::move(credentials.username);
    login.password = std::move(credentials.password);
    return session_.connect(std::move(login));
}

asio::awaitable<Result<void>> MqttCloud::introduce(std::function<void()> alive) {
    std::vector<std::string> filters = downlink_filters(settings_.device_id);
    const Result<void> subscribed = co_await session_.subscribe(std::move(filters));
    // The platform sends its own topics unasked (protocol reference 1.6): no reason to stay away.
    if (!subscribed && subscribed.error().code != Errc::refused) co_return subscribed;
    if (!subscribed) log::warning("subscription refused", {{"why", subscribed.error().what}});
    alive();
    std::string topic = events_up_topic(settings_.device_id);
    std::string payload = encode_sdk_info(FIELDGATE_VERSION, judged().at);
    const Result<void> told = co_await session_.publish(std::move(topic), std::move(payload));
    co_return told;
}

asio::awaitable<Result<Downlink>> MqttCloud::next(std::chrono::milliseconds patience) {
    const auto until = Clock::now() + patience;
    while (came_.empty()) {
        // However many came at once, the rest of the loop gets its turn between any two.
        co_await asio::post(asio::use_awaitable);
        judge_again();
        const Result<mqtt::Message> message = co_await session_.next(until);
        note_drops();
        if (!message) co_return message.error();
        take(*message);
        if (came_.empty() && Clock::now() >= until)
            co_return Error(Errc::timeout, "nothing of use came");
    }
    Downlink first = std::move(came_.front());
    came_.pop_front();
    co_return first;
}

asio::awaitable<Result<void>> MqttCloud::answer(std::string request_id, Answer answer, Rank rank) {
    std::string topic = answer_topic(settings_.device_id, request_id, answer);
    std::string payload = encode_answer(answer);
    const Result<void> sent = co_await session_.publish(std::move(topic), std::move(payload), rank);
    co_return sent;
}

asio::awaitable<Result<void>> MqttCloud::publish(const Parcel& parcel) {
    std::string topic = parcel.own() ? own_report_topic(settings_.device_id)
                                     : batch_report_topic(settings_.device_id);
    std::string payload = encode(parcel);
    const Result<void> sent = co_await session_.publish(std::move(topic), std::move(payload));
    co_return sent;
}

asio::awaitable<Result<void>> MqttCloud::tell(const Announcement& announcement) {
    if (const auto* report = std::get_if<StatusReport>(&announcement))
        return report_status(*report);
    // What we wait for here would be taken for the way to the platform: no data before the
    // question.
    const bool timed = std::holds_alternative<TimeQuestion>(announcement);
    Publication what = encode(announcement, settings_.device_id, next_event_id(), judged().at);
    return session_.publish(std::move(what.topic), std::move(what.payload),
                            timed ? Rank::urgent : Rank::ordinary);
}

asio::awaitable<Result<void>> MqttCloud::report_status(StatusReport report) {
    std::vector<SubDeviceStatus>& known = report.statuses;
    std::erase_if(known, [](const auto& one) { return one.status == DeviceStatus::unknown; });
    std::size_t count = 0;
    for (std::size_t i = 0; i < known.size(); i += count) {
        count = std::min(statuses_per_request_max, known.size() - i);
        std::string topic = events_up_topic(settings_.device_id);
        // One that is given is for all of them: a response says which devices it is about.
        const std::string event_id = report.event_id.empty() ? next_event_id() : report.event_id;
        std::string payload;
        for (;; count = (count + 1) / 2) {
            const std::span<const SubDeviceStatus> part(known.data() + i, count);
            payload = encode_status(part, event_id, judged().at);
            if (count == 1 || payload.size() <= sizes_.bytes()) break;
        }
        const Result<void> sent = co_await session_.publish(std::move(topic), std::move(payload));
        if (!sent) co_return sent;
    }
    co_return Result<void>();
}

asio::awaitable<void> MqttCloud::disconnect() { return session_.disconnect(); }

std::uint64_t MqttCloud::passed_over() const {
    return std::accumulate(passed_.begin(), passed_.end(), std::uint64_t{0});
}

void MqttCloud::take(const mqtt::Message& message) {
    Decoded decoded = decode(settings_.device_id, message.topic, message.payload);
    for (Downlink& downlink : decoded.downlinks) {
        if (auto* request = std::get_if<Request>(&downlink)) request->received = message.at;
        if (auto* malformed = std::get_if<Malformed>(&downlink)) malformed->received = message.at;
        came_.push_back(std::move(downlink));
    }
    for (const Decoded::Silence& silence : decoded.passed) pass_over(silence);
}

// Our own answers come back to us where a broker takes our filters at their word: no news.
void MqttCloud::pass_over(const Decoded::Silence& silence) {
    if (silence.why == Passed::own_answer) return;
    const auto kind = static_cast<std::size_t>(silence.why);
    ++passed_.at(kind);
    if (std::exchange(told_.at(kind), true)) return;
    log::warning("a message of the platform is passed over; more of the kind are only counted",
                 {{"why", to_string(silence.why)}, {"what", silence.what}});
}

void MqttCloud::note_drops() {
    const std::uint64_t drops = session_.messages_dropped();
    if (drops == drops_told_ || session_.backlog()) return;
    log::warning("messages of the platform dropped: more at once than can be kept",
                 {{"dropped", std::to_string(drops - drops_told_)}});
    drops_told_ = drops;
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
