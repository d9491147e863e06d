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

constexpr std::size_t checksum_bytes = 2;
constexpr std::chrono::milliseconds look_up_every =
    50ms;  // while waiting, whether it is still wanted

timeval to_timeval(std::chrono::microseconds time) {
    timeval result{};
    result.tv_sec = static_cast<time_t>(time.count() / 1'000'000);
    result.tv_usec = static_cast<suseconds_t>(time.count() % 1'000'000);
    return result;
}

void sleep_until(Instant when, const Worker::Unwanted& unwanted) {
    while (!unwanted && Clock::now() < when)
        std::this_thread::sleep_until(std::min<Instant>(when, Clock::now() + look_up_every));
}

// What libmodbus and the kernel say when the port, not the device, is at fault.
bool is_port_lost(int error) {
    return error == EIO || error == ENODEV || error == ENXIO || error == EBADF ||
           error == ECONNRESET || error == EPIPE;
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
    // 0: the response timeout covers the whole answer, or a device that dribbles holds the line.
    modbus_set_byte_timeout(context_.get(), 0, 0);
}

RtuLine::~RtuLine() = default;

Error RtuLine::lost(const Error& error) {
    port_.close();
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
    Outcome outcome{last_failure_, false, 0, std::nullopt};
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

    const auto end = unwanted ? Clock::now() : deadline;
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(end - Clock::now());
    const timeval wait = to_timeval(std::max<std::chrono::microseconds>(left, 1ms));
    modbus_set_response_timeout(context, static_cast<std::uint32_t>(wait.tv_sec),
                                static_cast<std::uint32_t>(wait.tv_usec));
    errno = 0;
    const int received = modbus_receive_confirmation(context, frame_.data());
    const int error = errno;
    const auto now = Clock::now();
    Result<Reply> reply = judge(request, received, error, outcome);
    if (reply) {
        reply->at = now;
        reply->took = std::chrono::duration_cast<std::chrono::microseconds>(now - started);
    }
    return reply;
}

// `bytes` of the frame, or -1 and `error`; 0 for a frame of another unit, its checksum unchecked.
Result<Reply> RtuLine::judge(const Request& request, int bytes, int error, Outcome& outcome) {
    const std::string where = settings_.path + ": ";
    if (bytes == 0)
        return Error{Errc::bad_data, where + "an answer of unit " + std::to_string(frame_[0]) +
                                         ", not " + std::to_string(request.unit)};
    if (bytes < 0 && error == ETIMEDOUT) return Error{Errc::timeout, where + "no answer in time"};
    if (bytes < 0 && is_port_lost(error))
        return lost({Errc::closed, where + modbus_strerror(error)});
    if (bytes < 0) return Error{Errc::bad_data, where + modbus_strerror(error)};

    const auto size = static_cast<std::size_t>(bytes);
    if (size < 2 + checksum_bytes) return Error{Errc::bad_data, where + "too short an answer"};
    outcome.whole = true;
    const auto* const pdu = frame_.data() + 1;
    const std::span<const std::uint8_t> answer(pdu, size - 1 - checksum_bytes);
    if (const Result<void> checked = check_reply(request, frame_[0], answer); !checked)
        return checked.error();
    Reply reply;
    reply.pdu.assign(answer.begin(), answer.end());
    return reply;
}

}  // namespace fieldgate::southbound::modbus
