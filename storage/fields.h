#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/row.h"

namespace fieldgate::storage {

/// The fields of a row as one text, so that no two rows have the same one: what check sums and
/// hashes are made of.
class Fields {
public:
    Fields& add(std::string_view text) {
        text_ += std::to_string(text.size());
        text_ += ':';
        text_ += text;
        return *this;
    }
    Fields& add(std::int64_t number) { return add(std::to_string(number)); }

    const std::string& text() const { return text_; }
    std::int64_t crc() const { return std::int64_t{name_checksum(text_, "")}; }

private:
    std::string text_;
};

}  // namespace fieldgate::storage
