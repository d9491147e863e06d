// Any registers as any kind of field: a value of the right sort, or none; never a float that is not
// finite, never a byte behind the answer. What can be written of it reads as what was written.
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "base/expect.h"
#include "southbound/modbus/encode.h"
#include "southbound/modbus/registers.h"

namespace {

using namespace fieldgate;
using namespace fieldgate::southbound::modbus;

/// Takes the bytes of the input one after another; 0 behind its end.
class Input {
public:
    Input(const std::uint8_t* bytes, std::size_t size) : rest_(bytes, size) {}
    std::uint8_t byte() {
        if (rest_.empty()) return 0;
        const std::uint8_t result = rest_.front();
        rest_ = rest_.subspan(1);
        return result;
    }
    std::int64_t number() {
        std::uint64_t result = 0;
        for (int i = 0; i < 8; ++i) result = result << 8 | byte();
        return static_cast<std::int64_t>(result);
    }
    std::span<const std::uint8_t> rest() const { return rest_; }

private:
    std::span<const std::uint8_t> rest_;
};

Field any_field(Input& input) {
    Field field;
    field.table = static_cast<Table>(input.byte() & 3);
    field.type = static_cast<RawType>(input.byte() % 12);
    const std::uint8_t flags = input.byte();
    field.order = {(flags & 1) != 0, (flags & 2) != 0};
    field.trim = static_cast<Trim>((flags >> 2) % 3);
    field.length = input.byte();
    if (flags & 0x10) {
        const std::uint8_t first = input.byte() & 63;
        field.bits = Bits{first, static_cast<std::uint8_t>(first + input.byte() % (64 - first))};
    }
    if (flags & 0x20) field.scale = {input.number(), static_cast<std::uint8_t>(input.byte() % 19)};
    if (flags & 0x40) field.offset = {input.number(), static_cast<std::uint8_t>(input.byte() % 19)};
    if (flags & 0x80) field.absent.push_back(static_cast<std::uint64_t>(input.number()));
    return field;
}

// A float is the nearest there is; everything else is exact, or refused.
void try_write(Field field, const Value& value) {
    if (field.table == Table::discrete) field.table = Table::coil;
    if (field.table == Table::input) field.table = Table::holding;
    const auto image = encode(field, value);
    if (!image) return;
    expect(image->words.size() == width(field), "all of its registers");
    expect(image->mask.size() == image->words.size(), "a mask for each");
    for (std::size_t i = 0; i < image->words.size(); ++i)
        expect((image->words[i] & ~image->mask[i]) == 0, "no bit of others");
    const bool is_float = field.type == RawType::f32 || field.type == RawType::f64;
    if (is_float && !field.bits && field.table != Table::coil) return;
    Value again;
    const auto decoded = decode(field, to_bytes(field, *image), 0, again);
    expect(decoded == Decoded::value, "a value that is one");
    expect(close_to(again, value, Decimal()), "the value that was written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    Input input(bytes, size);
    const Field field = any_field(input);
    const std::size_t offset = input.byte() % 16;
    // A copy of its own, so that the sanitizer sees a step behind its end.
    const std::vector<std::uint8_t> data(input.rest().begin(), input.rest().end());
    if (data.size() >= 9) {
        Input bytes_of_number(data.data(), data.size());
        const std::int64_t mantissa = bytes_of_number.number();
        try_write(field, Decimal{mantissa, static_cast<std::uint8_t>(data[8] % 19)});
        try_write(field, std::string(data.begin(), data.end()));
    }
    Value value;
    if (decode(field, data, offset, value) != Decoded::value) return 0;
    try_write(field, value);
    if (const auto* number = std::get_if<double>(&value))
        expect(std::isfinite(*number), "a finite double");
    if (const auto* number = std::get_if<float>(&value))
        expect(std::isfinite(*number), "a finite float");
    if (const auto* number = std::get_if<Decimal>(&value)) {
        expect(number->decimals <= 18, "a decimal in its bounds");
        expect(number->decimals == 0 || number->mantissa % 10 != 0, "no trailing zeros");
    }
    if (const auto* text = std::get_if<std::string>(&value))
        expect(text->size() <= field.length, "no more than its length");
    return 0;
}
