#pragma once
#include <string>
#include <utility>

namespace fieldgate {

/// A password or key. It has no operator<< and no to_string: it can be used, not printed. Wiped
/// when it goes.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : value_(std::exchange(other.value_, std::string())) {}
    Secret& operator=(const Secret&) = default;
    Secret& operator=(Secret&& other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    ~Secret() {
        for (volatile char& c : value_) c = 0;
    }

    /// For the one call that needs it; do not keep the copy.
    const std::string& reveal() const { return value_; }
    bool empty() const { return value_.empty(); }

private:
    std::string value_;
};

}  // namespace fieldgate
