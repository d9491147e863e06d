#include "tests/lab/plant/values.h"

#include <array>
#include <atomic>
#include <bit>
#include <cstdio>
#include <cstring>

namespace fieldgate::lab {
namespace {

std::atomic<std::uint32_t> sequence{0};

constexpr std::array<std::uint16_t, 256> crc_table() {
    std::array<std::uint16_t, 256> table{};
    for (std::uint16_t byte = 0; byte < 256; ++byte) {
        std::uint16_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) {
            const bool carry = (crc & 1U) != 0;
            crc = static_cast<std::uint16_t>(crc >> 1U);
            if (carry) crc = static_cast<std::uint16_t>(crc ^ 0xa001U);
        }
        table[byte] = crc;
    }
    return table;
}

std::uint16_t word(std::uint64_t value) { return static_cast<std::uint16_t>(value & 0xffffU); }

std::uint16_t certificate(std::span<const std::uint16_t> block) {
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[2 * i] = static_cast<std::uint8_t>(block[i] >> 8U);
        bytes[2 * i + 1] = static_cast<std::uint8_t>(block[i] & 0xffU);
    }
    return crc16(bytes);
}

class CertifiedValues final : public Values {
public:
    void refresh(std::uint8_t unit, std::int64_t, const Tables& tables) override {
        const std::uint32_t now = ++sequence;
        for (const auto& table : {tables.holding, tables.input})
            for (std::size_t at = 0; at + certified_block <= table.size(); at += certified_block) {
                const auto block = table.subspan(at, certified_block);
                block[0] = unit;
                block[1] = word(at);
                block[2] = word(now >> 16U);
                block[3] = word(now);
                block[4] = certificate(block);
            }
        const auto odd = static_cast<std::uint8_t>(unit % 2);
        for (std::uint8_t& coil : tables.coils) coil = odd;
        for (std::uint8_t& input : tables.discrete) input = odd;
    }
    std::vector<TrueValue> truth(std::uint8_t, const Tables&) const override { return {}; }
};

class MemoryValues final : public Values {
public:
    void refresh(std::uint8_t, std::int64_t, const Tables&) override {}
    std::vector<TrueValue> truth(std::uint8_t, const Tables&) const override { return {}; }
};

std::string decimal(std::int64_t mantissa, int decimals) {
    std::array<char, 40> text{};
    const std::int64_t unit = decimals == 1 ? 10 : 100;
    const std::int64_t size = mantissa < 0 ? -mantissa : mantissa;
    std::snprintf(text.data(), text.size(), "%s%lld.%0*lld", mantissa < 0 ? "-" : "",
                  static_cast<long long>(size / unit), decimals,
                  static_cast<long long>(size % unit));
    return text.data();
}

// Registers of the template: voltage 0, current 2, power 4, energy 10, overload 20, tariff 21,
// currentLimit 22, serialNumber 30; coil 0 is the breaker.
class PowerMeterValues final : public Values {
public:
    void refresh(std::uint8_t unit, std::int64_t unix_ms, const Tables& tables) override {
        const std::int64_t second = unix_ms / 1000;
        const auto r = tables.holding;
        if (r[22] == 0) first_refresh(unit, tables);
        const auto voltage = static_cast<std::uint64_t>(2280 + (unit * 7 + second * 3) % 41);
        r[0] = word(voltage >> 16U);
        r[1] = word(voltage);
        const auto current = static_cast<std::int16_t>((unit * 13 + second * 17) % 2001 - 1000);
        r[2] = std::bit_cast<std::uint16_t>(current);
        const float power = 1000.0F + 10.0F * unit + 0.5F * static_cast<float>(second % 60);
        const auto power_bits = std::bit_cast<std::uint32_t>(power);
        r[4] = word(power_bits);  // CDAB
        r[5] = word(power_bits >> 16U);
        const auto energy =
            5'000'000'000ULL + unit * 1'000'000ULL + static_cast<std::uint64_t>(second) % 1'000'000;
        for (std::size_t i = 0; i < 4; ++i) r[10 + i] = word(energy >> (16U * i));  // GHEFCDAB
        r[20] = static_cast<std::uint16_t>((second / 5 + unit) % 2 == 0 ? 0x0008 : 0x0000);
        r[21] = static_cast<std::uint16_t>((second / 7 + unit) % 2 + 1);
    }

    std::vector<TrueValue> truth(std::uint8_t, const Tables& tables) const override {
        const auto r = tables.holding;
        const std::int64_t voltage = std::int64_t{r[0]} << 16 | r[1];
        const auto power = std::bit_cast<float>(std::uint32_t{r[5]} << 16U | r[4]);
        std::uint64_t energy = 0;
        for (std::size_t i = 0; i < 4; ++i) energy |= std::uint64_t{r[10 + i]} << (16U * i);
        std::string serial;
        for (std::size_t i = 30; i < 36; ++i) {
            serial += static_cast<char>(r[i] >> 8U);
            serial += static_cast<char>(r[i] & 0xffU);
        }
        return {{"voltage", decimal(voltage, 1)},
                {"current", decimal(std::bit_cast<std::int16_t>(r[2]), 2)},
                {"power", decimal(static_cast<std::int64_t>(power * 10.0F), 1)},
                {"energy", std::to_string(energy)},
                {"serialNumber", "\"" + std::string(serial.c_str()) + "\""},
                {"overload", (r[20] & 0x0008U) != 0 ? "true" : "false"},
                {"tariff", r[21] == 1 ? "\"day\"" : "\"night\""},
                {"breaker", tables.coils[0] != 0 ? "true" : "false"},
                {"currentLimit", decimal(r[22], 1)}};
    }

private:
    static void first_refresh(std::uint8_t unit, const Tables& tables) {
        std::array<char, 12> serial{};
        std::snprintf(serial.data(), serial.size(), "PM-%03d-2026", int{unit});
        for (std::size_t i = 0; i < 6; ++i)
            tables.holding[30 + i] =
                static_cast<std::uint16_t>(static_cast<unsigned char>(serial[2 * i]) << 8U |
                                           static_cast<unsigned char>(serial[2 * i + 1]));
        tables.holding[22] = static_cast<std::uint16_t>(160 + unit);
        tables.coils[0] = static_cast<std::uint8_t>(unit % 2);
    }
};

}  // namespace

std::uint16_t crc16(std::span<const std::uint8_t> bytes) {
    static constexpr auto table = crc_table();
    std::uint16_t crc = 0xffff;
    for (const std::uint8_t byte : bytes)
        crc = static_cast<std::uint16_t>(crc >> 8U ^ table[(crc ^ byte) & 0xffU]);
    return crc;
}

std::uint32_t answers_given() { return sequence.load(); }

bool is_certified(std::span<const std::uint16_t> block, std::uint8_t unit, std::uint16_t address,
                  std::uint32_t& seq) {
    if (block.size() != certified_block || block[0] != unit || block[1] != address) return false;
    if (block[4] != certificate(block)) return false;
    seq = std::uint32_t{block[2]} << 16U | block[3];
    return true;
}

std::unique_ptr<Values> certified_values() { return std::make_unique<CertifiedValues>(); }
std::unique_ptr<Values> memory_values() { return std::make_unique<MemoryValues>(); }
std::unique_ptr<Values> power_meter_values() { return std::make_unique<PowerMeterValues>(); }

}  // namespace fieldgate::lab
