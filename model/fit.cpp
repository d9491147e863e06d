#include "model/fit.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>

#include "base/json.h"
#include "model/mapping.h"

namespace fieldgate {
namespace {

std::optional<double> as_floating(const Value& value) {
    if (const auto* f = std::get_if<float>(&value)) return static_cast<double>(*f);
    if (const auto* d = std::get_if<double>(&value)) return *d;
    return std::nullopt;
}

// Far enough inside for the difference between a float and its shortest text not to matter.
bool clearly_inside(double x, const FieldModel& model) {
    constexpr double margin = 1e-6;
    const auto above = [&](double low) { return x > low + std::fabs(low) * margin; };
    const auto below = [&](double high) { return x < high - std::fabs(high) * margin; };
    return (!model.min || above(to_double(*model.min))) &&
           (!model.max || below(to_double(*model.max)));
}

bool inside(Decimal value, const FieldModel& model) {
    return (!model.min || compare(value, *model.min) >= 0) &&
           (!model.max || compare(value, *model.max) <= 0);
}

// For any number.
bool inside(const Value& value, const FieldModel& model) {
    const auto floating = as_floating(value);
    if (floating && clearly_inside(*floating, model)) return true;
    if (const auto exact = as_decimal(value)) return inside(*exact, model);
    // Longer or larger than every decimal, and so than every limit that it could be close to.
    const double x = *as_number(value);
    return (!model.min || x >= to_double(*model.min)) && (!model.max || x <= to_double(*model.max));
}

// For rounding: what has more than 18 decimals loses those beyond; nullopt beyond 64 bits.
std::optional<Decimal> as_short_decimal(const Value& value) {
    const auto exact = as_decimal(value);
    if (exact) return exact;
    const auto floating = as_floating(value);
    if (!floating || std::fabs(*floating) >= 1) return std::nullopt;
    std::array<char, 32> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), *floating,
                                   std::chars_format::fixed, 18)
                         .ptr;
    return parse_decimal({text.data(), static_cast<std::size_t>(end - text.data())});
}

// `value` is inside min and max; what is returned is as well.
std::optional<Decimal> on_grid(Decimal value, const FieldModel& model) {
    auto place = round_to_grid(value, model.min.value_or(Decimal{}), *model.step);
    if (place && model.max && compare(*place, *model.max) > 0)
        place = add(*place, {-model.step->mantissa, model.step->decimals});
    if (!place || !inside(*place, model)) return std::nullopt;
    return place;
}

const Value* fit_decimal(const Value& value, const FieldModel& model, Value& room) {
    if (std::holds_alternative<std::string>(value) || !inside(value, model)) return nullptr;
    if (const bool* bit = std::get_if<bool>(&value)) {
        room = std::int64_t{*bit};
    } else if (!model.step) {
        return &value;
    }
    if (!model.step) return &room;
    const auto exact = as_short_decimal(value);
    const auto place = exact ? on_grid(*exact, model) : std::nullopt;
    if (!place) return nullptr;
    room = *place;
    return &room;
}

// The model's own limits are wider or narrower than its type's; without them, the type's.
bool inside_type(std::int64_t value, const FieldModel& model) {
    if (model.type != DataType::integer) return true;
    return (model.min || value >= std::numeric_limits<std::int32_t>::min()) &&
           (model.max || value <= std::numeric_limits<std::int32_t>::max());
}

const Value* fit_integer(const Value& value, const FieldModel& model, Value& room) {
    if (std::holds_alternative<std::string>(value)) return nullptr;
    auto exact = model.step ? as_short_decimal(value) : as_decimal(value);
    if (!exact || !inside(*exact, model)) return nullptr;
    if (model.step) exact = on_grid(*exact, model);
    if (!exact) return nullptr;
    const Decimal whole = normalized(*exact);
    if (whole.decimals > 0 || !inside_type(whole.mantissa, model)) return nullptr;
    room = whole.mantissa;
    return &room;
}

const Value* fit_boolean(const Value& value, Value& room) {
    if (std::holds_alternative<bool>(value)) return &value;
    const auto number = as_decimal(value);
    if (!number || number->mantissa < 0) return nullptr;
    const Decimal bit = normalized(*number);
    if (bit.decimals > 0 || bit.mantissa > 1) return nullptr;
    room = bit.mantissa == 1;
    return &room;
}

// Characters as they will leave: each byte that is no UTF-8 is one (U+FFFD).
std::size_t characters(const std::string& text) {
    std::string written;
    json::append_string(written, text);
    std::size_t count = 0;
    for (std::size_t i = 1; i + 1 < written.size(); ++i) {
        if ((static_cast<unsigned char>(written[i]) & 0xC0) == 0x80) continue;
        ++count;
        if (written[i] != '\\') continue;
        ++i;
        if (written[i] == 'u') i += 4;
    }
    return count;
}

bool short_enough(const std::string& text, const FieldModel& model) {
    return model.max_length == 0 || text.size() <= model.max_length ||
           characters(text) <= model.max_length;
}

// yyyyMMdd'T'HHmmss'Z' (protocol reference 10.3)
bool is_date_time(std::string_view text) {
    constexpr std::string_view form = "00000000T000000Z";
    if (text.size() != form.size()) return false;
    for (std::size_t i = 0; i < form.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == '0' ? !digit : text[i] != form[i]) return false;
    }
    const auto number = [&](std::size_t at, std::size_t digits) {
        unsigned n = 0;
        for (const char c : text.substr(at, digits)) n = n * 10 + static_cast<unsigned>(c - '0');
        return n;
    };
    const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(number(0, 4))),
                                           std::chrono::month(number(4, 2)),
                                           std::chrono::day(number(6, 2)));
    return date.ok() && number(9, 2) < 24 && number(11, 2) < 60 && number(13, 2) <= 60;
}

bool is_json_object(std::string_view text) {
    const auto parsed = json::parse(text);
    return parsed && parsed->object();
}

const Value* fit_text(const Value& value, const FieldModel& model, Value& room) {
    const Value* fitted = &value;
    if (!std::holds_alternative<std::string>(value)) {
        room = to_string(value);
        fitted = &room;
    }
    const auto& text = std::get<std::string>(*fitted);
    const auto& words = model.enum_list;
    if (!words.empty() && std::find(words.begin(), words.end(), text) == words.end())
        return nullptr;
    return short_enough(text, model) ? fitted : nullptr;
}

const Value* fit_form(const Value& value, const FieldModel& model) {
    const auto* text = std::get_if<std::string>(&value);
    if (!text || !short_enough(*text, model)) return nullptr;
    const bool is = model.type == DataType::date_time ? is_date_time(*text) : is_json_object(*text);
    return is ? &value : nullptr;
}

}  // namespace

const Value* fit(const Value& value, const FieldModel* model, Value& room) {
    const auto floating = as_floating(value);
    if (floating && !std::isfinite(*floating)) return nullptr;
    if (!model) return &value;
    switch (model->type) {
        case DataType::integer:
        case DataType::long_integer:
            return fit_integer(value, *model, room);
        case DataType::decimal:
            return fit_decimal(value, *model, room);
        case DataType::boolean:
            return fit_boolean(value, room);
        case DataType::string:
        case DataType::enumeration:
        case DataType::string_list:
            return fit_text(value, *model, room);
        case DataType::date_time:
        case DataType::json_object:
            return fit_form(value, *model);
    }
    return nullptr;
}

void append_as(std::string& out, const Value& fitted, const FieldModel* model) {
    if (model && model->type == DataType::json_object) {
        out += std::get<std::string>(fitted);
    } else if (model && model->type == DataType::string_list) {
        out += '[';
        append_json(out, fitted);
        out += ']';
    } else {
        append_json(out, fitted);
    }
}

bool append_fitted(std::string& out, const Value& value, const FieldModel* model) {
    Value room;
    const Value* fitted = fit(value, model, room);
    if (!fitted) return false;
    append_as(out, *fitted, model);
    return true;
}

}  // namespace fieldgate
