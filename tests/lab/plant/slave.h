#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "tests/lab/plant/values.h"

struct _modbus;            // NOLINT(bugprone-reserved-identifier)
struct _modbus_mapping_t;  // NOLINT(bugprone-reserved-identifier)

namespace fieldgate::lab {

using Bytes = std::vector<std::uint8_t>;
enum class Framing : std::uint8_t { rtu, tcp };

/// What a slave can do.
struct SlaveLimits {
    std::uint16_t registers = 500;  ///< Holding and input registers from 0; behind: exception 2.
    std::uint16_t bits = 256;
    std::uint16_t max_registers = 125;  ///< More in one read: exception 3.
    /// Registers (holding and input; first and last) that are not mapped, and what is said to those
    /// who ask for one of them: this exception, or an answer without data, or nothing.
    std::vector<std::pair<std::uint16_t, std::uint16_t>> holes;
    enum class Says : std::uint8_t { exception, nothing_in_it, silence };
    Says hole_says = Says::exception;
    std::uint8_t hole_exception = 2;
    std::vector<std::uint8_t> unknown_functions;  ///< Exception 1.
};

/// A request that changes something, as it came.
struct WriteSeen {
    std::uint64_t request = 0;  ///< Its number among the requests of this slave, from 1.
    Bytes pdu;
};

/// One Modbus slave: libmodbus's own server behind a socket pair, called like a function.
class Slave {
public:
    Slave(std::uint8_t unit, Framing framing, SlaveLimits limits, std::unique_ptr<Values> values);
    ~Slave();
    Slave(const Slave&) = delete;
    Slave& operator=(const Slave&) = delete;

    /// The answer to one whole frame, as libmodbus gives it; empty if it gives none.
    Bytes answer(std::span<const std::uint8_t> frame);
    std::uint8_t unit() const { return unit_; }
    /// What the values are now.
    std::vector<TrueValue> truth();
    std::uint64_t requests() const { return requests_; }
    /// Every write that came, whatever was answered.
    const std::vector<WriteSeen>& writes() const { return writes_; }
    std::uint16_t& holding(std::uint16_t address);
    std::uint8_t& coil(std::uint16_t address);

private:
    int refusal(std::span<const std::uint8_t> pdu) const;
    bool is_hole(std::span<const std::uint8_t> pdu) const;
    void empty(Bytes& exception) const;
    Tables tables() const;

    std::uint8_t unit_;
    Framing framing_;
    SlaveLimits limits_;
    std::unique_ptr<Values> values_;
    int ours_ = -1;  ///< Our end of the pair; libmodbus has the other.
    int theirs_ = -1;
    std::unique_ptr<_modbus, void (*)(_modbus*)> context_;
    std::unique_ptr<_modbus_mapping_t, void (*)(_modbus_mapping_t*)> mapping_;
    std::uint64_t requests_ = 0;
    std::vector<WriteSeen> writes_;
};

}  // namespace fieldgate::lab
