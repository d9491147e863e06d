#pragma once
#include <array>
#include <asio/any_io_executor.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <string>

#include "model/event_time.h"
#include "northbound/cloud.h"
#include "northbound/iotda/downlink.h"
#include "northbound/mqtt/session.h"
#include "northbound/pacer.h"
#include "northbound/settings.h"
#include "northbound/testimony.h"

namespace fieldgate::northbound::iotda {

/// What the platform's certificate was worth to the link of now.
enum class Certificate : std::uint8_t {
    none,      ///< No link, or one without TLS.
    valid,     ///< By a clock that is known to be right.
    unproven,  ///< Valid by a clock that nobody vouches for.
    early,     ///< Not yet valid by such a clock, and taken: it is the clock that is late.
};
const char* to_string(Certificate certificate);

/// Huawei Cloud IoTDA over MQTT. Every attempt signs anew (signature.h); after CONNACK come the
/// subscriptions and sdk_info, and only when that is acknowledged connect() has succeeded. The
/// pacer covers all that is published.
///
/// Certificates are judged by `time`. While the kernel does not vouch for that, a handshake of its
/// own goes before every attempt, and tells when the chain is valid: the platform's word about the
/// time counts only within that (Testimony). While it is not proven either, "not yet valid" alone
/// is no reason to stay away from the one who can tell the time: the link is made as if the chain
/// had just become valid, judged again by every better time, and given up when its certificate is
/// not valid by that.
///
/// Nor can a clock that is not proven keep us out of a login with the hour (sign type 1): when that
/// is refused, another without follows at once, and with a proven clock it is checked again.
class MqttCloud : public Cloud {
public:
    /// `settings`, `pacer`, `sizes` and `goodput` must outlive it. `time`: for certificates,
    /// signatures and events.
    MqttCloud(const asio::any_io_executor& loop, const PlatformSettings& settings, Pacer& pacer,
              PayloadLimit& sizes, Goodput& goodput, std::function<JudgedTime()> time);

    asio::awaitable<Result<void>> connect(std::function<void()> alive) override;
    asio::awaitable<Result<Downlink>> next(std::chrono::milliseconds patience) override;
    asio::awaitable<Result<void>> answer(std::string request_id, Answer answer, Rank rank) override;
    asio::awaitable<Result<void>> publish(const Parcel& parcel) override;
    asio::awaitable<Result<void>> tell(const Announcement& announcement) override;
    bool believes(Utc told) override;
    asio::awaitable<void> disconnect() override;
    /// The same at once and for good, and why: Session::close().
    void close(const std::string& reason) { session_.close(reason); }

    const mqtt::Session& session() const { return session_; }
    Certificate certificate() const { return session_.up() ? certificate_ : Certificate::none; }
    /// Messages and events of the platform that were passed over in silence.
    std::uint64_t passed_over() const;

private:
    JudgedTime judged() const;
    asio::awaitable<Result<void>> log_in(bool checked);
    asio::awaitable<Result<void>> examine(std::function<void()> alive);
    asio::awaitable<Result<void>> introduce(std::function<void()> alive);
    asio::awaitable<Result<void>> report_status(StatusReport report);
    void judge_again();
    void take(const mqtt::Message& message);
    void pass_over(const Decoded::Silence& silence);
    void note_drops();
    std::string next_event_id();

    const PlatformSettings& settings_;
    const PayloadLimit& sizes_;
    std::function<JudgedTime()> time_;
    mqtt::Session session_;
    Utc judged_at_;  // this link's certificate
    Testimony testimony_;
    Certificate certificate_ = Certificate::none;
    bool early_told_ = false;
    bool hour_refused_ = false;  // and another login without it was taken
    std::mt19937_64 chance_;
    std::deque<Downlink> came_;  // out of one message
    std::array<std::uint64_t, passed_kinds> passed_{};
    std::array<bool, passed_kinds> told_{};  // that there are such, on this connection
    std::uint64_t drops_told_ = 0;
};

/// How the session of this platform is to be set up.
mqtt::SessionSettings session_settings(const PlatformSettings& settings);

}  // namespace fieldgate::northbound::iotda
