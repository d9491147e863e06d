#include "daemon/config/lines.h"

#include <algorithm>
#include <cstdint>

namespace fieldgate::config {

Lines::Lines(std::string_view text) : text_(text), starts_{0} {
    for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at))
        starts_.push_back(++at);
}

std::string_view Lines::line(int number) const {
    if (number < 1 || static_cast<std::size_t>(number) > starts_.size()) return {};
    const std::size_t begin = starts_[static_cast<std::size_t>(number) - 1];
    std::string_view rest = text_.substr(begin);
    rest = rest.substr(0, rest.find('\n'));
    if (rest.ends_with('\r')) rest.remove_suffix(1);
    return rest;
}

int Lines::column(int number, std::size_t byte) const {
    if (number != last_line_ || byte < last_byte_) {
        last_line_ = number;
        last_byte_ = 0;
        last_column_ = 1;
    }
    if (number < 1 || static_cast<std::size_t>(number) > starts_.size()) return 1;
    // Not line(): finding the end of a very long line for each of its nodes would be quadratic.
    const std::string_view rest = text_.substr(starts_[static_cast<std::size_t>(number) - 1]);
    while (last_byte_ < byte && last_byte_ < rest.size() && rest[last_byte_] != '\n') {
        last_byte_ += std::max<std::size_t>(1, utf8_length(rest.substr(last_byte_, 4)));
        ++last_column_;
    }
    return last_column_;
}

std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t at) {
        return at < text.size() ? static_cast<std::uint8_t>(text[at]) : std::uint8_t{0};
    };
    const auto follows = [&](std::size_t at) { return (byte(at) & 0xC0U) == 0x80U; };
    const std::uint8_t first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        const bool overlong = first == 0xE0 && byte(1) < 0xA0;
        const bool surrogate = first == 0xED && byte(1) >= 0xA0;
        return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const bool overlong = first == 0xF0 && byte(1) < 0x90;
        const bool beyond = first == 0xF4 && byte(1) >= 0x90;
        return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
    }
    return 0;
}

}  // namespace fieldgate::config
