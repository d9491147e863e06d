#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace fieldgate::json {

/// One parsed JSON value. A tree, for what is rare (downlink messages, product models); what is
/// frequent is written with the append functions below and never becomes a tree.
class Value {
public:
    using Array = std::vector<Value>;
    using Object = std::vector<std::pair<std::string, Value>>;  ///< In the order of the text.
    using State = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double,
                               std::string, Array, Object>;

    Value() = default;
    explicit Value(State state) : state_(std::move(state)) {}

    bool is_null() const { return std::holds_alternative<std::nullptr_t>(state_); }
    const bool* boolean() const { return std::get_if<bool>(&state_); }
    /// An integer that fits; unsigned ones above INT64_MAX are not integers here.
    const std::int64_t* integer() const { return std::get_if<std::int64_t>(&state_); }
    const std::string* string() const { return std::get_if<std::string>(&state_); }
    const Array* array() const { return std::get_if<Array>(&state_); }
    const Object* object() const { return std::get_if<Object>(&state_); }
    /// Any number.
    bool is_number() const { return state_.index() >= 2 && state_.index() <= 4; }
    double number() const;

    /// The member `key` of an object; nullptr if there is none, or this is no object.
    const Value* find(std::string_view key) const;
    /// As find(), but a member that is null counts as absent, as the platform prints it.
    const Value* get(std::string_view key) const;

    const State& state() const { return state_; }

private:
    State state_;
};

struct Limits {
    std::size_t bytes = std::size_t{256} * 1024;
    std::size_t depth = 32;
};

/// Parses one JSON document (RFC 8259, UTF-8 checked). Errors: bad_data (syntax with its byte
/// offset, a key twice in one object, trailing text), out_of_range (a limit exceeded). Any thread.
Result<Value> parse(std::string_view text, const Limits& limits);
inline Result<Value> parse(std::string_view text) { return parse(text, Limits()); }

/// Appends `text` as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);
void append_integer(std::string& out, std::int64_t value);
void append_unsigned(std::string& out, std::uint64_t value);
/// Shortest text that reads back as the same number; `null` if not finite.
void append_double(std::string& out, double value);
void append_float(std::string& out, float value);
/// Appends the value as compact JSON.
void append_value(std::string& out, const Value& value);

}  // namespace fieldgate::json
