#include "tests/lab/plant/slave.h"

#include <fcntl.h>
#include <modbus/modbus.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/expect.h"

namespace fieldgate::lab {
namespace {

constexpr std::size_t longest_frame = 260;

std::int64_t unix_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

unsigned word(std::span<const std::uint8_t> bytes, std::size_t at) {
    return static_cast<unsigned>(bytes[at]) << 8U | bytes[at + 1];
}

bool is_write(unsigned function) {
    return function == 5 || function == 6 || function == 15 || function == 16 || function == 22 ||
           function == 23;
}

}  // namespace

Slave::Slave(std::uint8_t unit, Framing framing, SlaveLimits limits, std::unique_ptr<Values> values)
    : unit_(unit),
      framing_(framing),
      limits_(std::move(limits)),
      values_(std::move(values)),
      context_(framing == Framing::rtu ? modbus_new_rtu("/dev/null", 9600, 'E', 8, 1)
                                       : modbus_new_tcp("127.0.0.1", 1502),
               modbus_free),
      mapping_(modbus_mapping_new(limits_.bits, limits_.bits, limits_.registers, limits_.registers),
               modbus_mapping_free) {
    std::array<int, 2> pair{};
    const int made = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data());
    expect(made == 0 && context_ && mapping_, "a slave to be made");
    ours_ = pair[0];
    theirs_ = pair[1];
    // libmodbus sleeps for it after some refusals.
    modbus_set_response_timeout(context_.get(), 0, 1000);
    modbus_set_slave(context_.get(), unit);
    modbus_set_socket(context_.get(), theirs_);
}

Slave::~Slave() {
    ::close(ours_);
    ::close(theirs_);
}

Tables Slave::tables() const {
    const modbus_mapping_t& m = *mapping_;
    return {{m.tab_bits, limits_.bits},
            {m.tab_input_bits, limits_.bits},
            {m.tab_input_registers, limits_.registers},
            {m.tab_registers, limits_.registers}};
}

std::vector<TrueValue> Slave::truth() {
    values_->refresh(unit_, unix_ms(), tables());
    return values_->truth(unit_, tables());
}

// The exception that a device with these limits gives; 0: none.
int Slave::refusal(std::span<const std::uint8_t> pdu) const {
    const auto& unknown = limits_.unknown_functions;
    if (std::find(unknown.begin(), unknown.end(), pdu[0]) != unknown.end())
        return MODBUS_EXCEPTION_ILLEGAL_FUNCTION;
    if (pdu.size() < 5 || (pdu[0] != 3 && pdu[0] != 4)) return 0;
    if (word(pdu, 3) > limits_.max_registers) return MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE;
    return is_hole(pdu) ? limits_.hole_exception : 0;
}

bool Slave::is_hole(std::span<const std::uint8_t> pdu) const {
    if (pdu.size() < 5 || (pdu[0] != 3 && pdu[0] != 4)) return false;
    const unsigned first = word(pdu, 1);
    const unsigned count = word(pdu, 3);
    return std::ranges::any_of(limits_.holes, [&](const auto& hole) {
        return first <= hole.second && first + count > hole.first;
    });
}

// The function without the exception's bit, and a byte count of 0 in place of its code.
void Slave::empty(Bytes& exception) const {
    const std::size_t function = framing_ == Framing::rtu ? 1 : 7;
    exception[function] &= 0x7fU;
    exception[function + 1] = 0;
    if (framing_ == Framing::tcp) return;
    const std::uint16_t crc = crc16(std::span(exception).first(exception.size() - 2));
    exception[exception.size() - 2] = static_cast<std::uint8_t>(crc & 0xffU);
    exception[exception.size() - 1] = static_cast<std::uint8_t>(crc >> 8U);
}

std::uint16_t& Slave::holding(std::uint16_t address) {
    expect(address < limits_.registers, "a register of the slave");
    return mapping_->tab_registers[address];
}

std::uint8_t& Slave::coil(std::uint16_t address) {
    expect(address < limits_.bits, "a coil of the slave");
    return mapping_->tab_bits[address];
}

Bytes Slave::answer(std::span<const std::uint8_t> frame) {
    ++requests_;
    values_->refresh(unit_, unix_ms(), tables());
    if (::write(ours_, frame.data(), frame.size()) != static_cast<ssize_t>(frame.size())) return {};
    std::array<std::uint8_t, longest_frame> request{};
    const int received = modbus_receive(context_.get(), request.data());
    SlaveLimits::Says says = SlaveLimits::Says::exception;
    if (received > 0) {
        const bool rtu = framing_ == Framing::rtu;
        const auto pdu = rtu ? frame.subspan(1, frame.size() - 3) : frame.subspan(7);
        if (is_write(pdu[0])) writes_.push_back({requests_, Bytes(pdu.begin(), pdu.end())});
        const int code = refusal(pdu);
        if (is_hole(pdu)) says = limits_.hole_says;
        if (code != 0)
            modbus_reply_exception(context_.get(), request.data(), static_cast<unsigned>(code));
        else
            modbus_reply(context_.get(), request.data(), received, mapping_.get());
    }
    Bytes reply(longest_frame);
    const ssize_t got = ::recv(ours_, reply.data(), reply.size(), MSG_DONTWAIT);
    reply.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    if (says == SlaveLimits::Says::silence) return {};
    if (says == SlaveLimits::Says::nothing_in_it && !reply.empty()) empty(reply);
    return reply;
}

}  // namespace fieldgate::lab
