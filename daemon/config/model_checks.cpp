// What the product model says of a point: its type can be produced, its range can be met.
#include <algorithm>
#include <limits>

#include "daemon/config/points.h"
#include "daemon/config/words.h"
#include "model/fit.h"

namespace fieldgate::config {
namespace {

using southbound::modbus::Field;

Place key_of(const ReadPoint& read, std::string_view key) {
    const Node* node = read.place.node->find(key);
    return node != nullptr ? read.place.at(key, *node) : read.place;
}

bool is_whole(Decimal value) { return normalized(value).decimals == 0; }

// What the model allows: its own limits, else those of its type.
Span model_span(const PropertyModel& property) {
    constexpr long double infinity = std::numeric_limits<long double>::infinity();
    Span span{-infinity, infinity};
    if (property.type == DataType::integer) {
        span = {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    } else if (property.type == DataType::long_integer) {
        constexpr auto top = static_cast<long double>(std::numeric_limits<std::int64_t>::max());
        span = {-top - 1, top};
    }
    if (property.min) span.min = to_long_double(*property.min);
    if (property.max) span.max = to_long_double(*property.max);
    return span;
}

// What would fit, for a hint.
std::string wanted(const PropertyModel& property, const std::string& word) {
    const Span span = model_span(property);
    const std::string range = format_number(span.min) + " to " + format_number(span.max);
    switch (property.type) {
        case DataType::integer:
        case DataType::long_integer:
            return "write a whole number, " + range + ", or change the model";
        case DataType::decimal:
            return "write a number, " + range + ", or change the model";
        case DataType::boolean:
            return "write true or false";
        case DataType::date_time:
            return "write a time in UTC such as 20260131T120000Z";
        case DataType::json_object:
            return R"(write a JSON object in quotes, such as '{"mode": 1}')";
        case DataType::string:
        case DataType::enumeration:
        case DataType::string_list:
            break;
    }
    const auto& words = property.enum_list;
    const bool listed = std::find(words.begin(), words.end(), word) != words.end();
    if (!words.empty() && !listed) return did_you_mean(word, words);
    return "at most " + std::to_string(property.max_length) + " characters";
}

// The words of `values`, each as the model wants it: what does not fit would never be sent.
void check_values(const ReadPoint& read, const PropertyModel& property, Report& report) {
    const Place values = key_of(read, "values");
    for (std::size_t i = 0; i < read.field.values.size() && i < values.node->items.size(); ++i) {
        const Value& value = read.field.values[i].second;
        Value room;
        if (fit(value, &property, room) != nullptr) continue;
        const std::string word = fieldgate::to_string(value);
        report.error(values.at(values.node->keys[i].text, values.node->items[i]),
                     '"' + word + "\" does not fit the product model's " +
                         fieldgate::to_string(property.type),
                     wanted(property, word));
    }
}

// What the wire gives, as the model's types see it.
enum class Kind : std::uint8_t { boolean, whole, decimal, floating, text };

Kind kind_of(const ReadPoint& read, bool self) {
    if (self) {
        const bool text = read.self == SelfValue::version || read.self == SelfValue::config_hash ||
                          read.self == SelfValue::clock_quality;
        return text ? Kind::text : Kind::whole;
    }
    const Field& field = read.field;
    if (field.type == RawType::string) return Kind::text;
    if (is_boolean(field)) return Kind::boolean;
    if (is_float(field.type)) return Kind::floating;
    return is_whole(field.scale) && is_whole(field.offset) ? Kind::whole : Kind::decimal;
}

void cannot(const Place& place, const PropertyModel& property, Report& report, std::string hint) {
    report.error(place,
                 std::string("the product model wants ") + fieldgate::to_string(property.type) +
                     ", which this is not",
                 std::move(hint));
}

bool numbers_in(const std::vector<std::string>& words) {
    return std::any_of(words.begin(), words.end(),
                       [](const std::string& word) { return looks_decimal(word); });
}

// False, with a problem, if the type cannot be produced.
bool check_type(const ReadPoint& read, const PropertyModel& property, Kind kind, Report& report) {
    const Place place = key_of(read, read.place.node->find("type") != nullptr ? "type" : "at");
    switch (property.type) {
        case DataType::integer:
        case DataType::long_integer:
            if (kind == Kind::text) break;
            if (property.step) return true;
            if (kind == Kind::decimal) {
                cannot(key_of(read, read.place.node->find("scale") != nullptr ? "scale" : "offset"),
                       property, report,
                       "the scale makes fractions: make the model decimal, or give it a step of 1");
                return false;
            }
            if (kind == Kind::floating) {
                report.warning(place, "of a float, only whole values are sent",
                               "make the model decimal, or give it a step of 1");
            }
            return true;
        case DataType::decimal:
            if (kind != Kind::text) return true;
            break;
        case DataType::boolean:
            if (kind == Kind::boolean) return true;
            cannot(place, property, report,
                   "write type: bool, pick one bit (bits: N), or list values: { 0: false, 1: "
                   "true }");
            return false;
        case DataType::string:
        case DataType::string_list:
            return true;
        case DataType::enumeration:
            if (kind == Kind::text || (kind == Kind::whole && numbers_in(property.enum_list)))
                return true;
            cannot(place, property, report,
                   "list which raw value is which word: values: { 0: " +
                       (property.enum_list.empty() ? "word" : property.enum_list.front()) +
                       ", ... }");
            return false;
        case DataType::date_time:
        case DataType::json_object:
            if (kind == Kind::text) return true;
            break;
    }
    cannot(place, property, report,
           kind == Kind::text ? "change the type, or make the model a string"
                              : "change the type, or the model");
    return false;
}

void check_range(const ReadPoint& read, const PropertyModel& property, Report& report) {
    const bool number = property.type == DataType::integer ||
                        property.type == DataType::long_integer ||
                        property.type == DataType::decimal;
    const auto raw = value_span(read.field);
    if (!number || !raw) return;
    const Span model = model_span(property);
    const Place place = key_of(read, read.place.node->find("scale") != nullptr ? "scale" : "type");
    const std::string ranges = "raw value x scale + offset is " + format_number(raw->min) + " to " +
                               format_number(raw->max) + ", the model allows " +
                               format_number(model.min) + " to " + format_number(model.max);
    if (raw->max < model.min || raw->min > model.max) {
        report.error(place, "no value can meet the product model's range", ranges);
    } else if (raw->min < model.min || raw->max > model.max) {
        report.warning(place, "the raw range goes beyond the product model's",
                       ranges + "; what is outside is counted, not sent");
    }
}

}  // namespace

void check_against_model(const ReadPoint& read, const PropertyModel& property, bool self,
                         Report& report) {
    if (!property.readable && !read.field.never_read) {
        report.warning(read.place, "the product model does not allow reading",
                       "its method has no R: the platform may not show what is sent; change the "
                       "model, or say read: never if the point is only written");
    }
    if (!read.field.values.empty()) {
        check_values(read, property, report);
    } else if (check_type(read, property, kind_of(read, self), report) && !self) {
        check_range(read, property, report);
    }
    if (property.max_length > 0 && read.field.type == RawType::string && !self &&
        read.field.length > property.max_length) {
        report.warning(key_of(read, "length"), "longer than the product model allows",
                       "the model allows " + std::to_string(property.max_length) +
                           " characters; longer texts are counted, not sent");
    }
}

}  // namespace fieldgate::config
