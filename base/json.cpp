#include "base/json.h"

// RapidJSON's stack compares nullptr + 4 before its first push: undefined by the letter, and what
// clang's sanitizer stops at before it has seen anything of ours.
#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("pointer-overflow"))), apply_to = function)
#endif
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#ifdef __clang__
#pragma clang attribute pop
#endif

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <unordered_set>

namespace fieldgate::json {
namespace {

// Builds the tree from RapidJSON's events; says no (false) at the first thing that is not allowed.
class Builder {
public:
    explicit Builder(const Limits& limits) : limits_(limits) {}

    bool Null() { return add(Value()); }
    bool Bool(bool b) { return add(Value(Value::State(b))); }
    // Numbers come as text, checked for form: RapidJSON's own conversion shifts by clz(0) on
    // "0e300".
    bool RawNumber(const char* s, rapidjson::SizeType n, bool) {
        std::int64_t integer = 0;
        if (read_whole(s, n, integer)) return add(Value(Value::State(integer)));
        std::uint64_t natural = 0;
        if (read_whole(s, n, natural)) return add(Value(Value::State(natural)));
        double number = 0;  // stays 0 if the text is nearer to 0 than every double
        if (!read_whole(s, n, number) && std::isinf(std::strtod(s, nullptr))) {
            why_ = "a number too big for a double";
            return false;
        }
        return add(Value(Value::State(number)));
    }
    // Never called, but wanted by the reader.
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }
    bool String(const char* s, rapidjson::SizeType n, bool) {
        return add(Value(Value::State(std::string(s, n))));
    }
    bool StartObject() { return open(Value::State(Value::Object())); }
    bool StartArray() { return open(Value::State(Value::Array())); }
    bool Key(const char* s, rapidjson::SizeType n, bool) {
        std::string key(s, n);
        if (open_.back().has(key)) {
            why_ = "key \"" + key + "\" stands twice";
            return false;
        }
        open_.back().key = std::move(key);
        return true;
    }
    bool EndObject(rapidjson::SizeType) { return close(); }
    bool EndArray(rapidjson::SizeType) { return close(); }

    const std::string& why() const { return why_; }
    bool too_deep() const { return too_deep_; }
    Value take() { return std::move(root_); }

private:
    struct Open {
        explicit Open(Value::State s) : state(std::move(s)) {}

        // The usual object has a handful of keys; what is made to be slow gets a table.
        bool has(const std::string& wanted) {
            constexpr std::size_t handful = 32;
            const auto& members = std::get<Value::Object>(state);
            const auto same = [&](const auto& member) { return member.first == wanted; };
            if (members.size() < handful) return std::ranges::any_of(members, same);
            if (keys.empty())
                for (const auto& member : members) keys.insert(member.first);
            return !keys.insert(wanted).second;
        }

        Value::State state;
        std::string key;
        std::unordered_set<std::string> keys;  // of many members
    };

    template <class Number>
    static bool read_whole(const char* text, std::size_t length, Number& number) {
        const auto [end, error] = std::from_chars(text, text + length, number);
        return error == std::errc() && end == text + length;
    }

    bool open(Value::State state) {
        if (open_.size() == limits_.depth) {
            too_deep_ = true;
            why_ = "nested deeper than " + std::to_string(limits_.depth) + " levels";
            return false;
        }
        open_.emplace_back(std::move(state));
        return true;
    }
    bool close() {
        Value closed(std::move(open_.back().state));
        open_.pop_back();
        return add(std::move(closed));
    }
    bool add(Value value) {
        if (open_.empty()) {
            root_ = std::move(value);
        } else if (auto* array = std::get_if<Value::Array>(&open_.back().state)) {
            array->push_back(std::move(value));
        } else {
            auto& object = std::get<Value::Object>(open_.back().state);
            object.emplace_back(std::move(open_.back().key), std::move(value));
        }
        return true;
    }

    const Limits& limits_;
    std::vector<Open> open_;
    Value root_;
    std::string why_;
    bool too_deep_ = false;
};

// How many bytes of well-formed UTF-8 start at `text` (1 to 4); 0 if they are none (RFC 3629).
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    const unsigned char second = byte(1);
    if (first == 0xE0 && second < 0xA0) return 0;  // overlong
    if (first == 0xED && second > 0x9F) return 0;  // surrogate
    if (first == 0xF0 && second < 0x90) return 0;  // overlong
    if (first == 0xF4 && second > 0x8F) return 0;  // beyond U+10FFFF
    return length;
}

void append_escaped(std::string& out, char c) {
    constexpr std::string_view hex = "0123456789abcdef";
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    const auto code = static_cast<unsigned char>(c);
    out += "\\u00";
    out += hex[code >> 4];
    out += hex[code & 0xF];
}

template <class Number>
void append_number(std::string& out, Number value) {
    std::array<char, 32> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    out.append(text.data(), end);
}

}  // namespace

double Value::number() const {
    if (const auto* i = std::get_if<std::int64_t>(&state_)) return static_cast<double>(*i);
    if (const auto* u = std::get_if<std::uint64_t>(&state_)) return static_cast<double>(*u);
    const auto* d = std::get_if<double>(&state_);
    expect(d != nullptr, "a number");
    return *d;
}

const Value* Value::find(std::string_view key) const {
    const Object* members = object();
    if (!members) return nullptr;
    for (const auto& [name, value] : *members)
        if (name == key) return &value;
    return nullptr;
}

const Value* Value::get(std::string_view key) const {
    const Value* found = find(key);
    return found && !found->is_null() ? found : nullptr;
}

Result<Value> parse(std::string_view text, const Limits& limits) {
    if (text.size() > limits.bytes)
        return Error(Errc::out_of_range, "more than " + std::to_string(limits.bytes) + " bytes");
    Builder builder(limits);
    rapidjson::MemoryStream stream(text.data(), text.size());
    rapidjson::Reader reader;
    constexpr unsigned flags = rapidjson::kParseIterativeFlag |
                               rapidjson::kParseValidateEncodingFlag |
                               rapidjson::kParseNumbersAsStringsFlag;
    const rapidjson::ParseResult parsed = reader.Parse<flags>(stream, builder);
    if (!parsed.IsError()) return builder.take();
    if (builder.too_deep()) return Error(Errc::out_of_range, builder.why());
    const std::string why =
        builder.why().empty() ? rapidjson::GetParseError_En(parsed.Code()) : builder.why();
    return Error(Errc::bad_data, why + " (at byte " + std::to_string(parsed.Offset()) + ")");
}

void append_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const char c = text.front();
        const std::size_t length = utf8_length(text);
        if (length == 0) {
            out += "\xEF\xBF\xBD";
        } else if (length == 1 && (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\')) {
            append_escaped(out, c);
        } else {
            out.append(text.substr(0, length));
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    out += '"';
}

void append_integer(std::string& out, std::int64_t value) { append_number(out, value); }
void append_unsigned(std::string& out, std::uint64_t value) { append_number(out, value); }

void append_double(std::string& out, double value) {
    if (!std::isfinite(value)) {
        out += "null";
        return;
    }
    append_number(out, value);
}

void append_float(std::string& out, float value) {
    if (!std::isfinite(value)) {
        out += "null";
        return;
    }
    append_number(out, value);
}

void append_value(std::string& out, const Value& value) {
    struct Append {
        std::string& out;
        void operator()(std::nullptr_t) const { out += "null"; }
        void operator()(bool b) const { out += b ? "true" : "false"; }
        void operator()(std::int64_t i) const { append_integer(out, i); }
        void operator()(std::uint64_t u) const { append_unsigned(out, u); }
        void operator()(double d) const { append_double(out, d); }
        void operator()(const std::string& s) const { append_string(out, s); }
        void operator()(const Value::Array& array) const {
            out += '[';
            for (std::size_t i = 0; i < array.size(); ++i) {
                if (i > 0) out += ',';
                append_value(out, array[i]);
            }
            out += ']';
        }
        void operator()(const Value::Object& object) const {
            out += '{';
            for (std::size_t i = 0; i < object.size(); ++i) {
                if (i > 0) out += ',';
                append_string(out, object[i].first);
                out += ':';
                append_value(out, object[i].second);
            }
            out += '}';
        }
    };
    std::visit(Append{out}, value.state());
}

}  // namespace fieldgate::json
