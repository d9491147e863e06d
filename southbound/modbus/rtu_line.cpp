#include "southbound/modbus/rtu_line.h"

#include <modbus/modbus.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "southbound/modbus/cost.h"
#include "southbound/modbus/pdu.h"

namespace fieldgate::southbound::modbus {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds look_up_every =
    50ms;  // while waiting, whether it is still wanted

void sleep_until(Instant when, const Worker::Unwanted& unwanted) {
    while (!unwanted && Clock::now() < when)
        std::this_thread::sleep_until(std::min<Instant>(when, Clock::now() + look_up_every));
}

}  // namespace

// libmodbus never opens or closes the port: it knows neither locks nor high descriptors.
RtuLine::RtuLine(SerialSettings settings, std::chrono::milliseconds turnaround)
    : settings_(std::move(settings)),
      turnaround_(turnaround),
      port_(settings_),
      context_(modbus_new_rtu(settings_.path.c_str(), static_cast<int>(settings_.baud),
                              settings_.parity, settings_.data_bits, settings_.stop_bits),
               modbus_free),
      frame_(MODBUS_RTU_MAX_ADU_LENGTH),
      reopen_(100ms, 2s),
      last_failure_(Errc::closed, settings_.path + ": not open yet") {
    if (!context_) return;  // no path or speed: open() says so
    modbus_set_error_recovery(context_.get(), MODBUS_ERROR_RECOVERY_NONE);
}

RtuLine::~RtuLine() = default;

Error RtuLine::lost(const Error& error) {
    port_.close();
    echoes_.reset();  // another adapter may come
    next_open_ = Clock::now() + reopen_.next();
    last_failure_ = error;
    return error;
}

Result<void> RtuLine::open() {
    if (port_.is_open()) return {};
    if (!context_) return Error{Errc::unsupported, settings_.path + ": no such line"};
    if (Clock::now() < next_open_) return last_failure_;
    if (const Result<void> opened = port_.open(); !opened) return lost(opened.error());
    reopen_.reset();
    modbus_set_socket(context_.get(), port_.descriptor());
    last_activity_ = Clock::now();
    return {};
}

// t3.5 since the last byte, the turnaround for another unit, and nothing left to be heard.
Result<void> RtuLine::keep_silence(const Request& request, Outcome& outcome,
                                   const Worker::Unwanted& unwanted) {
    const auto silence = frame_silence(settings_);
    const bool other_unit = request.unit != last_unit_;
    last_unit_ = request.unit;
    const auto pause = other_unit ? std::max<std::chrono::nanoseconds>(silence, turnaround_)
                                  : std::chrono::nanoseconds(silence);
    sleep_until(last_activity_ + pause, unwanted);
    if (unwanted) return Error{Errc::timeout, settings_.path + ": not wanted any more"};
    constexpr int patience = 50;
    for (int tries = 0; tries < patience; ++tries) {
        const Result<std::size_t> drained = port_.drain();
        if (!drained) return lost(drained.error());
        if (*drained == 0) return {};
        if (tries == 0) ++outcome.drained;
        std::this_thread::sleep_for(silence);
    }
    return Error{Errc::bad_data, settings_.path + ": the line is never silent"};
}

RtuLine::Outcome RtuLine::exchange(const Request& request, std::chrono::microseconds timeout,
                                   const Worker::Unwanted& unwanted) {
    Outcome outcome(last_failure_);
    if (const Result<void> opened = open(); !opened) {
        outcome.reply = opened.error();
        return outcome;
    }
    if (const Result<void> silent = keep_silence(request, outcome, unwanted); !silent)
        outcome.reply = silent.error();
    else
        outcome.reply = send_and_receive(request, timeout, outcome, unwanted);
    last_activity_ = Clock::now();
    outcome.up = port_.is_open();
    return outcome;
}

// Until something is there to be read, hung up included.
void RtuLine::wait_for_answer(Instant deadline, const Worker::Unwanted& unwanted) const {
    pollfd port{port_.descriptor(), POLLIN, 0};
    while (!unwanted && Clock::now() < deadline) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (::poll(&port, 1, static_cast<int>(std::min(left, look_up_every).count())) > 0) return;
    }
}

Result<Reply> RtuLine::send_and_receive(const Request& request, std::chrono::microseconds timeout,
                                        Outcome& outcome, const Worker::Unwanted& unwanted) {
    modbus_t* const context = context_.get();
    frame_[0] = request.unit;
    std::copy(request.pdu.begin(), request.pdu.end(), frame_.begin() + 1);
    modbus_set_slave(context, request.unit);
    const auto started = Clock::now();
    const int bytes = static_cast<int>(request.pdu.size()) + 1;
    if (started >= request.not_after)
        return Error{Errc::timeout, settings_.path + ": the line was not free in time"};
    errno = 0;
    const int written = modbus_send_raw_request(context, frame_.data(), bytes);
    if (written != bytes + static_cast<int>(checksum_bytes)) {
        const int error = errno;
        outcome.sent = Clock::now();  // maybe in part
        return lost({Errc::closed, settings_.path + ": " + modbus_strerror(error)});
    }
    // At the latest: however long we were kept from writing, no answer counts from before it.
    const auto on_the_wire = frame_time(settings_, request.pdu.size());
    outcome.sent = Clock::now() + on_the_wire;
    const auto deadline = *outcome.sent + timeout;
    // Nothing can have arrived earlier; libmodbus would wake up for every few bytes.
    const auto complete = started + on_the_wire + frame_silence(settings_) +
                          frame_time(settings_, request.reply_bytes);
    sleep_until(std::min<Instant>(complete, deadline), unwanted);
    wait_for_answer(deadline, unwanted);

    const Result<RtuLook> look = receive(request, deadline, unwanted);
    if (!look) return look.error();
    const auto now = Clock::now();
    note_echo(request, *look);
    outcome.echoes = echoes_;
    Result<Reply> reply = judge(request, *look, outcome);
    if (reply) {
        reply->at = now;
        reply->took = std::chrono::duration_cast<std::chrono::microseconds>(now - started);
    }
    return reply;
}

// Who echoes once may echo at any time. The answer to some writes is like an echo, and shows
// nothing.
void RtuLine::note_echo(const Request& request, const RtuLook& look) {
    const bool is_silent = !look.echoed && (received_.empty() || look.is == RtuLook::Is::answer ||
                                            look.is == RtuLook::Is::untrue);
    if (look.echoed)
        echoes_ = true;
    else if (is_silent && !is_write(request) && !echoes_)
        echoes_ = false;
}

// Until it is known what has come, or nothing more is waited for. Reads no byte behind the answer.
Result<RtuLook> RtuLine::receive(const Request& request, Instant deadline,
                                 const Worker::Unwanted& unwanted) {
    received_.clear();
    for (;;) {
        const RtuLook look = look_for_answer(request, echoes_.value_or(false), received_);
        if (look.is != RtuLook::Is::incomplete) return look;
        wait_for_answer(deadline, unwanted);
        const std::size_t before = received_.size();
        received_.resize(before + look.missing);
        const Result<std::size_t> got = port_.read(std::span(received_).subspan(before));
        received_.resize(before + (got ? *got : 0));
        if (!got) return lost(got.error());
        if (*got == 0 && (unwanted || Clock::now() >= deadline)) return look;
    }
}

Result<Reply> RtuLine::judge(const Request& request, const RtuLook& look, Outcome& outcome) {
    using Is = RtuLook::Is;
    const std::string where = settings_.path + ": ";
    if (look.is == Is::incomplete) {
        const bool nothing = look.first >= received_.size();
        return Error{Errc::timeout, where + (nothing ? "no answer in time" : "half an answer")};
    }
    const std::span<const std::uint8_t> rest = std::span(received_).subspan(look.first);
    if (look.is == Is::garbage && rest[0] != request.unit)
        return Error{Errc::bad_data, where + "an answer of unit " + std::to_string(rest[0]) +
                                         ", not " + std::to_string(request.unit) + ", or noise"};
    if (look.is == Is::garbage) return Error{Errc::bad_data, where + "a wrong checksum"};
    outcome.whole = true;
    const std::span<const std::uint8_t> answer = rest.subspan(1, look.bytes - 1);
    if (const Result<void> checked = check_reply(request, rest[0], answer); !checked)
        return checked.error();
    Reply reply;
    reply.pdu.assign(answer.begin(), answer.end());
    return reply;
}

}  // namespace fieldgate::southbound::modbus
