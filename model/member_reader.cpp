#include "model/member_reader.h"

#include <charconv>

namespace fieldgate {
namespace {

// "propertyName" -> "property_name"
std::string snake_case(std::string_view camel) {
    std::string out;
    for (const char c : camel) {
        const bool upper = c >= 'A' && c <= 'Z';
        if (upper) out += '_';
        out += upper ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out;
}

// A limit beyond every decimal ("3.4E38") limits nothing that we could compare with it.
bool limits_nothing(std::string_view key, std::string_view text) {
    constexpr double decimal_max = 9.2e18;
    double beyond = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), beyond);
    if (error != std::errc() || end != text.data() + text.size()) return false;
    return (key == "min" && beyond < -decimal_max) || (key == "max" && beyond > decimal_max);
}

}  // namespace

MemberReader::MemberReader(const json::Value& object, std::string where,
                           std::optional<Error>& error)
    : object_(object), where_(std::move(where)), error_(error) {
    if (!object_.object()) fail("", "is no object");
}

const json::Value* MemberReader::get(std::string_view camel) const {
    const json::Value* found = object_.get(camel);
    return found ? found : object_.get(snake_case(camel));
}

std::string MemberReader::text_of(std::string_view key, const json::Value* member) {
    if (!member) return {};
    if (member->string()) return *member->string();
    fail(key, "is no string");
    return {};
}

std::string MemberReader::text(std::string_view key) { return text_of(key, get(key)); }

std::string MemberReader::required_text(std::string_view key) {
    const json::Value* member = get(key);
    std::string found = text_of(key, member);
    if (found.empty()) fail(key, member ? "must not be empty" : "is missing");
    return found;
}

bool MemberReader::flag(std::string_view key) {
    const json::Value* member = get(key);
    if (!member) return false;
    if (!member->boolean()) fail(key, "is neither true nor false");
    return member->boolean() && *member->boolean();
}

std::optional<Decimal> MemberReader::number(std::string_view key) {
    const json::Value* member = get(key);
    if (!member) return std::nullopt;
    std::string text;
    if (member->string()) {
        text = *member->string();
        if (text.empty()) return std::nullopt;
    } else if (member->is_number()) {
        json::append_value(text, *member);
    } else {
        fail(key, "is no number");
        return std::nullopt;
    }
    const auto exact = parse_decimal(text);
    if (exact) return normalized(*exact);
    if (!limits_nothing(key, text)) fail(key, "\"" + text + "\" is no number of up to 18 digits");
    return std::nullopt;
}

std::size_t MemberReader::length(std::string_view key) {
    const Decimal value = normalized(number(key).value_or(Decimal{}));
    if (value.mantissa >= 0 && value.decimals == 0) return static_cast<std::size_t>(value.mantissa);
    fail(key, "is no length");
    return 0;
}

std::vector<std::string> MemberReader::texts(std::string_view key) {
    std::vector<std::string> found;
    const json::Value* member = get(key);
    if (member && !member->array()) fail(key, "is no array");
    if (!member || !member->array()) return found;
    for (const json::Value& item : *member->array()) {
        if (!item.string())
            fail(std::string(key) + "[" + std::to_string(found.size()) + "]", "is no string");
        found.push_back(item.string() ? *item.string() : std::string());
    }
    return found;
}

const json::Value::Array* MemberReader::array(std::string_view key, std::size_t max) {
    const json::Value* member = get(key);
    if (!member) return nullptr;
    const json::Value::Array* items = member->array();
    if (!items) fail(key, "is no array");
    if (!items || items->size() <= max) return items;
    fail(key, "has more than " + std::to_string(max) + " elements");
    return nullptr;
}

std::string MemberReader::path(std::string_view key) const {
    if (key.empty()) return where_;
    if (where_.empty() || where_.back() == ' ') return where_ + std::string(key);
    return where_ + "." + std::string(key);
}

std::string MemberReader::element(std::string_view key, std::size_t i) const {
    return path(key) + "[" + std::to_string(i) + "]";
}

void MemberReader::fail(std::string_view key, const std::string& what) {
    if (error_) return;
    const std::string place = path(key);
    const bool bare = place.empty() || place.back() == ' ';
    error_.emplace(Errc::bad_data, place + (bare ? "" : ": ") + what);
}

}  // namespace fieldgate
