#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fieldgate::lab {

/// The tables of one slave, as the values see them.
struct Tables {
    std::span<std::uint8_t> coils;
    std::span<std::uint8_t> discrete;
    std::span<std::uint16_t> input;
    std::span<std::uint16_t> holding;
};

/// One true value: what a gateway should report for it. `json` is a JSON number, bool or string.
struct TrueValue {
    std::string name;
    std::string json;
    bool operator==(const TrueValue&) const = default;
};

/// What a slave measures.
class Values {
public:
    virtual ~Values() = default;
    /// Puts what `unit` measures at `unix_ms` into its tables; called before every request.
    virtual void refresh(std::uint8_t unit, std::int64_t unix_ms, const Tables& tables) = 0;
    /// The same for people and for tests, from the tables as they are.
    virtual std::vector<TrueValue> truth(std::uint8_t unit, const Tables& tables) const = 0;
};

/// Blocks of 5 holding and input registers at 0, 5, 10, ...: [unit, address, seq_hi, seq_lo, crc16
/// of these], which prove by themselves whose they are. `seq` counts the requests of all slaves in
/// this process, so it also proves when: see answers_given().
std::unique_ptr<Values> certified_values();
/// Coils and discrete inputs of certified_values(): all say whether the unit is odd.
inline constexpr std::size_t certified_block = 5;
/// Requests answered so far; an answer to a later request has a higher `seq`. Any thread.
std::uint32_t answers_given();
/// True if `block` is the certified block of `unit` at `address`; `seq` is set then.
bool is_certified(std::span<const std::uint16_t> block, std::uint8_t unit, std::uint16_t address,
                  std::uint32_t& seq);

/// Everything is as it was last written; at first 0.
std::unique_ptr<Values> memory_values();

/// The power meter of the example configuration. Its values are a function of unit and second,
/// except breaker and currentLimit, which are as last written.
std::unique_ptr<Values> power_meter_values();

/// Modbus's CRC, low byte first on the wire (Serial Line V1.02, 6.2.2).
std::uint16_t crc16(std::span<const std::uint8_t> bytes);

}  // namespace fieldgate::lab
