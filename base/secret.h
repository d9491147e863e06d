#pragma once
#include <string>
#include <utility>

namespace fieldgate {

/// A password or key. It has no operator<< and no to_string: it can be used, not printed. Wiped
/// when it goes, and where it came from.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string&& value) : value_(value) { wipe(value); }
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { wipe(other.value_); }
    Secret& operator=(Secret other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    ~Secret() { wipe(value_); }

    /// For the one call that needs it; do not keep the copy.
    const std::string& reveal() const { return value_; }
    bool empty() const { return value_.empty(); }
    bool operator==(const Secret&) const = default;

private:
    // All of the buffer: what is moved from keeps the bytes of a short text.
    static void wipe(std::string& text) {
        text.resize(text.capacity());
        for (volatile char& c : text) c = 0;
        text.clear();
    }

    std::string value_;
};

}  // namespace fieldgate
