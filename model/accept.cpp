#include "model/accept.h"

#include <utility>

#include "model/fit.h"

namespace fieldgate {
namespace {

Error untrue(std::string what) { return {Errc::bad_data, std::move(what)}; }
Error beyond(std::string what) { return {Errc::out_of_range, std::move(what)}; }

bool is_number(DataType type) {
    return type == DataType::integer || type == DataType::long_integer || type == DataType::decimal;
}

const char* name_of(const json::Value& sent) {
    if (sent.is_null()) return "null";
    if (sent.boolean()) return "a bool";
    if (sent.is_number()) return "a number";
    if (sent.string()) return "a text";
    return sent.array() ? "a list" : "an object";
}

Error wrong_type(const json::Value& sent, const FieldModel* model) {
    const std::string wanted = model ? to_string(model->type) : "bool, number or text";
    return untrue(std::string(name_of(sent)) + " where " + wanted + " belongs");
}

// The value of a JSON bool, number or text; nullopt for all else.
std::optional<Value> scalar(const json::Value& sent) {
    if (const bool* b = sent.boolean()) return Value(*b);
    if (const auto* text = sent.string()) return Value(*text);
    if (const auto* whole = sent.integer()) return Value(*whole);
    if (const auto* natural = std::get_if<std::uint64_t>(&sent.state())) return Value(*natural);
    if (!sent.is_number()) return std::nullopt;
    if (const auto decimal = shortest_decimal(sent.number())) return Value(*decimal);
    return Value(sent.number());
}

// `sent` if its JSON type is the model's.
std::optional<Value> typed(const json::Value& sent, DataType type) {
    if (type == DataType::json_object) {
        if (!sent.object()) return std::nullopt;
        std::string text;
        json::append_value(text, sent);
        return Value(std::move(text));
    }
    if (type == DataType::string_list) {
        const auto* list = sent.array();
        const bool one = list && list->size() == 1 && list->front().string();
        return one ? std::optional<Value>(*list->front().string()) : std::nullopt;
    }
    const bool wants_number = is_number(type) || type == DataType::boolean;
    const bool right = wants_number ? sent.is_number() || sent.boolean() : sent.string() != nullptr;
    return right ? scalar(sent) : std::nullopt;
}

bool is_whole(const Value& value) {
    const auto number = as_decimal(value);
    return std::holds_alternative<std::uint64_t>(value) ||
           (number && normalized(*number).decimals == 0);
}

std::string text_of(const std::optional<Decimal>& limit, const char* otherwise) {
    return limit ? to_string(Value(*limit)) : otherwise;
}

Error outside(const Value& value, const FieldModel& model) {
    const bool small = model.type == DataType::integer;
    const bool decimal = model.type == DataType::decimal;
    const char* least = decimal ? "any" : small ? "-2147483648" : "-9223372036854775808";
    const char* most = decimal ? "any" : small ? "2147483647" : "9223372036854775807";
    return beyond(to_string(value) + " is outside of the model's range, " +
                  text_of(model.min, least) + " to " + text_of(model.max, most));
}

// Why fit() would not take `value`, whose JSON type is right.
Error why_not(const Value& value, const FieldModel& model) {
    const std::string text = '"' + to_string(value) + '"';
    switch (model.type) {
        case DataType::integer:
        case DataType::long_integer:
            if (!is_whole(value))
                return untrue(to_string(value) + " is no " + to_string(model.type));
            return outside(value, model);
        case DataType::decimal:
            return outside(value, model);
        case DataType::boolean:
            return untrue(to_string(value) + " is no boolean");
        case DataType::date_time:
            return untrue(text + " is no DateTime: yyyyMMdd'T'HHmmss'Z'");
        default:
            break;
    }
    std::string words;
    for (const std::string& word : model.enum_list) words += (words.empty() ? "" : ", ") + word;
    FieldModel any = model;
    any.enum_list.clear();
    Value room;
    if (!words.empty() && fit(value, &any, room)) return beyond(text + " is none of " + words);
    return beyond("longer than the model's " + std::to_string(model.max_length) + " characters");
}

bool is_less(const Value& value, Decimal limit) {
    if (const auto number = as_decimal(value)) return compare(*number, limit) < 0;
    const auto number = as_number(value);
    return number && *number < to_double(limit);
}

bool is_more(const Value& value, Decimal limit) {
    if (const auto number = as_decimal(value)) return compare(*number, limit) > 0;
    const auto number = as_number(value);
    return number && *number > to_double(limit);
}

}  // namespace

Result<Value> accept(const json::Value& sent, const FieldModel* model) {
    std::optional<Value> value = model ? typed(sent, model->type) : scalar(sent);
    if (!value) return wrong_type(sent, model);
    if (!model) return *std::move(value);
    if (is_number(model->type) && model->type != DataType::decimal && !is_whole(*value))
        return why_not(*value, *model);
    Value room;
    const Value* fitted = fit(*value, model, room);
    if (!fitted) return why_not(*value, *model);
    if (is_number(model->type) && !close_to(*fitted, *value, Decimal()))
        return beyond(to_string(*value) + " is off the model's step of " +
                      text_of(model->step, "0") + " from " + text_of(model->min, "0"));
    return *fitted;
}

Result<void> check_writable(const Value& value, const Point& point) {
    if (!point.write) return Error(Errc::unsupported, "the point cannot be written");
    if (point.model && !point.model->writable)
        return Error(Errc::unsupported, "the product model does not allow writing");
    if (point.write->min && is_less(value, *point.write->min))
        return beyond(to_string(value) + " is less than write.min, " +
                      to_string(Value(*point.write->min)));
    if (point.write->max && is_more(value, *point.write->max))
        return beyond(to_string(value) + " is more than write.max, " +
                      to_string(Value(*point.write->max)));
    return {};
}

Result<Value> accept_write(const json::Value& sent, const Point& point) {
    if (!point.write) return Error(Errc::unsupported, "the point cannot be written");
    Result<Value> value = accept(sent, point.model ? &*point.model : nullptr);
    if (!value) return value;
    if (const Result<void> writable = check_writable(*value, point); !writable)
        return writable.error();
    return value;
}

}  // namespace fieldgate
