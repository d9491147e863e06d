#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/expect.h"

namespace fieldgate {

/// Why something did not work, as far as a caller would act differently on it.
enum class Errc : std::uint8_t {
    timeout,       ///< nobody answered in time
    closed,        ///< the other side, or the port, is gone
    refused,       ///< the other side understood and said no
    bad_data,      ///< an answer that cannot be true: checksum, length, a reply to something else
    out_of_range,  ///< a value that does not fit where it should go
    unsupported,   ///< asked for something that this part cannot do
    busy,          ///< not now
    io,            ///< disk, device or library failure
};

/// "timeout", "closed", ...
const char* to_string(Errc code);

/// What went wrong, once for programs (code) and once for people (what).
struct Error {
    Error(Errc error_code, std::string text) : code(error_code), what(std::move(text)) {}
    Errc code;
    std::string what;
    /// The number that the other side gave with its refusal: a Modbus exception, a CONNACK code; or
    /// whatever number a function gives with its errors; 0: none.
    int detail = 0;
};

/// A value, or the reason why there is none. The subset of std::expected (C++23) that we use.
/// Asking for the one that is not there aborts.
template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& operator*() & {
        expect(has_value(), "a value");
        return *std::get_if<0>(&state_);
    }
    const T& operator*() const& {
        expect(has_value(), "a value");
        return *std::get_if<0>(&state_);
    }
    T&& operator*() && {
        expect(has_value(), "a value");
        return std::move(*std::get_if<0>(&state_));
    }
    T* operator->() { return &**this; }
    const T* operator->() const { return &**this; }
    const Error& error() const {
        expect(!has_value(), "an error");
        return *std::get_if<1>(&state_);
    }

private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    bool has_value() const { return !error_; }
    explicit operator bool() const { return has_value(); }
    const Error& error() const {
        expect(error_.has_value(), "an error");
        return *error_;
    }

private:
    std::optional<Error> error_;
};

}  // namespace fieldgate
