#pragma once
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"

namespace fieldgate::json {

/// Writes one JSON document into a string, member by member; places the commas. For output that
/// people and scripts read; the hot path appends by itself.
class Writer {
public:
    explicit Writer(std::string& out) : out_(out) {}

    Writer& open_object() { return open('{'); }
    Writer& close_object() { return close('}'); }
    Writer& open_array() { return open('['); }
    Writer& close_array() { return close(']'); }

    Writer& key(std::string_view name) {
        comma();
        append_string(out_, name);
        out_ += ':';
        after_key_ = true;
        return *this;
    }

    Writer& value(std::string_view text) {
        comma();
        append_string(out_, text);
        return *this;
    }
    Writer& value(const char* text) { return value(std::string_view(text)); }
    Writer& value(bool flag) {
        comma();
        out_ += flag ? "true" : "false";
        return *this;
    }
    Writer& value(double number) {
        comma();
        append_double(out_, number);
        return *this;
    }
    template <std::integral Integer>
    Writer& value(Integer number) {
        comma();
        if constexpr (std::signed_integral<Integer>)
            append_integer(out_, number);
        else
            append_unsigned(out_, number);
        return *this;
    }

    template <class T>
    Writer& member(std::string_view name, const T& what) {
        return key(name).value(what);
    }

private:
    void comma() {
        if (!first_ && !after_key_) out_ += ',';
        first_ = false;
        after_key_ = false;
    }
    Writer& open(char bracket) {
        comma();
        out_ += bracket;
        first_ = true;
        return *this;
    }
    Writer& close(char bracket) {
        out_ += bracket;
        first_ = false;
        return *this;
    }

    std::string& out_;
    bool first_ = true;
    bool after_key_ = false;
};

}  // namespace fieldgate::json
