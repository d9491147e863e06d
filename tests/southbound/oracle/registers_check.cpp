// Compares decode() with what registers_oracle.py says, one case a line on stdin, and lets encode()
// bring every value back: to the same value, and to the same bits where there is only one way.
// Exits 0 if at least one case came and all agree.
#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "southbound/modbus/encode.h"
#include "southbound/modbus/registers.h"

namespace fieldgate::southbound::modbus {
namespace {

std::vector<std::uint8_t> from_hex(const std::string& text) {
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
    return bytes;
}

Decimal decimal(const std::string& text) {
    const auto slash = text.find('/');
    return {std::stoll(text.substr(0, slash)),
            static_cast<std::uint8_t>(std::stoul(text.substr(slash + 1)))};
}

std::vector<std::string> list(const std::string& text) {
    std::vector<std::string> items;
    if (text == "-") return items;
    std::istringstream in(text);
    for (std::string item; std::getline(in, item, ',');) items.push_back(item);
    return items;
}

RawType raw_type(const std::string& text) {
    static const std::map<std::string, RawType> types{
        {"bool", RawType::boolean}, {"u16", RawType::u16},     {"i16", RawType::i16},
        {"u32", RawType::u32},      {"i32", RawType::i32},     {"u64", RawType::u64},
        {"i64", RawType::i64},      {"f32", RawType::f32},     {"f64", RawType::f64},
        {"bcd16", RawType::bcd16},  {"bcd32", RawType::bcd32}, {"text", RawType::string}};
    return types.at(text);
}

Table table(char letter) {
    switch (letter) {
        case 'c':
            return Table::coil;
        case 'd':
            return Table::discrete;
        case 'i':
            return Table::input;
        default:
            return Table::holding;
    }
}

struct Case {
    Field field;
    std::size_t start = 0;
    std::vector<std::uint8_t> data;
    std::string expected;
};

Case parse(const std::string& line) {
    std::istringstream in(line);
    std::string table_, type, bits, trim, scale, offset, absent, values, data, arrow;
    int order = 0;
    Case result;
    Field& f = result.field;
    in >> table_ >> type >> order >> bits >> f.length >> trim >> scale >> offset >> absent >>
        values >> result.start >> data >> arrow >> std::ws;
    std::getline(in, result.expected);
    f.table = table(table_[0]);
    f.type = raw_type(type);
    f.order = {order == 1 || order == 3, order == 2 || order == 3};
    if (const auto dots = bits.find(".."); dots != std::string::npos)
        f.bits = Bits{static_cast<std::uint8_t>(std::stoul(bits.substr(0, dots))),
                      static_cast<std::uint8_t>(std::stoul(bits.substr(dots + 2)))};
    f.trim = trim == "nul" ? Trim::nul : trim == "space" ? Trim::space : Trim::none;
    f.scale = decimal(scale);
    f.offset = decimal(offset);
    for (const std::string& item : list(absent)) f.absent.push_back(std::stoull(item));
    for (const std::string& item : list(values)) {
        const auto equals = item.find('=');
        f.values.emplace_back(std::stoull(item.substr(0, equals)),
                              std::int64_t{std::stoll(item.substr(equals + 1))});
    }
    result.data = from_hex(data);
    return result;
}

template <class Number>
std::string hex(Number value) {
    char text[24];
    std::snprintf(text, sizeof text, "%0*llx", static_cast<int>(2 * sizeof value),
                  static_cast<unsigned long long>(value));
    return text;
}

std::string hex(const std::string& text) {
    std::string result;
    for (const char c : text) result += hex(static_cast<std::uint8_t>(c));
    return result.empty() ? "-" : result;
}

struct Say {
    std::string operator()(bool v) const { return v ? "bool 1" : "bool 0"; }
    std::string operator()(std::int64_t v) const { return "int " + std::to_string(v); }
    std::string operator()(std::uint64_t v) const { return "uint " + std::to_string(v); }
    std::string operator()(Decimal v) const {
        return "decimal " + std::to_string(v.mantissa) + " " + std::to_string(v.decimals);
    }
    std::string operator()(float v) const {
        return "float " + hex(std::bit_cast<std::uint32_t>(v));
    }
    std::string operator()(double v) const {
        return "double " + hex(std::bit_cast<std::uint64_t>(v));
    }
    std::string operator()(const std::string& v) const { return "text " + hex(v); }
};

std::string say(Decoded decoded, const Value& value) {
    switch (decoded) {
        case Decoded::absent:
            return "none absent";
        case Decoded::unlisted:
            return "none unlisted";
        case Decoded::invalid:
            return "none invalid";
        case Decoded::value:
            break;
    }
    return std::visit(Say(), value);
}

double from_bits(const std::string& text) {
    return std::bit_cast<double>(std::stoull(text, nullptr, 16));
}

bool agrees(const Case& c, Decoded decoded, const Value& value) {
    if (c.expected.rfind("near ", 0) != 0) return say(decoded, value) == c.expected;
    const auto* number = std::get_if<double>(&value);
    if (decoded != Decoded::value || !number) return false;
    const double exact = from_bits(c.expected.substr(5, 16));
    return std::fabs(*number - exact) <= from_bits(c.expected.substr(22, 16));
}

// What is written is exactly what was read. A double in place of a decimal has lost its way back.
bool comes_back(Case c, const Value& value) {
    if (c.expected.rfind("near ", 0) == 0) return true;
    if (c.field.table == Table::discrete) c.field.table = Table::coil;
    if (c.field.table == Table::input) c.field.table = Table::holding;
    const Result<Image> image = encode(c.field, value);
    if (!image) {
        // true is written as 1, which may be a sentinel though what was read is not.
        const bool absent =
            std::find(c.field.absent.begin(), c.field.absent.end(), 1U) != c.field.absent.end();
        return c.field.type == RawType::boolean && absent;
    }
    const std::vector<std::uint8_t> bytes = to_bytes(c.field, *image);
    Value again;
    if (decode(c.field, bytes, 0, again) != Decoded::value || !(again == value)) return false;
    const bool one_way = c.field.type != RawType::string && c.field.type != RawType::boolean &&
                         c.field.values.empty();
    if (!one_way || c.field.table == Table::coil) return true;
    const auto is_zero = [](std::uint16_t word) { return word == 0; };
    // -0.0 is written as 0.
    if (std::all_of(image->words.begin(), image->words.end(), is_zero)) return true;
    for (std::size_t i = 0; i < image->words.size(); ++i) {
        const std::size_t at = 2 * (c.start + i);
        const unsigned was = static_cast<unsigned>(c.data[at]) << 8U | c.data[at + 1];
        if (image->words[i] != (was & image->mask[i])) return false;
    }
    return true;
}

}  // namespace
}  // namespace fieldgate::southbound::modbus

int main() {
    using namespace fieldgate::southbound::modbus;
    std::ios::sync_with_stdio(false);
    std::uint64_t cases = 0;
    std::uint64_t wrong = 0;
    for (std::string line; std::getline(std::cin, line);) {
        const Case c = parse(line);
        fieldgate::Value value;
        const Decoded decoded = decode(c.field, c.data, c.start, value);
        ++cases;
        const bool right = agrees(c, decoded, value);
        if (right && (decoded != Decoded::value || comes_back(c, value))) continue;
        if (++wrong <= 10)
            std::printf("%s\n    got %s%s\n", line.c_str(), say(decoded, value).c_str(),
                        right ? ", which does not come back" : "");
    }
    std::printf("%llu cases, %llu wrong\n", static_cast<unsigned long long>(cases),
                static_cast<unsigned long long>(wrong));
    return cases > 0 && wrong == 0 ? 0 : 1;
}
