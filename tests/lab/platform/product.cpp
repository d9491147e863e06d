#include "tests/lab/platform/product.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "tests/lab/process.h"

namespace fieldgate::lab {
namespace {

std::string text_of(const json::Value& object, const char* key) {
    const json::Value* member = object.get(key);
    return member != nullptr && member->string() != nullptr ? *member->string() : "";
}

const json::Value::Array& array_of(const json::Value& object, const char* key) {
    static const json::Value::Array none;
    const json::Value* member = object.get(key);
    return member != nullptr && member->array() != nullptr ? *member->array() : none;
}

// Exports print limits as text, documents as numbers (protocol reference 10.2, the type trap).
std::optional<double> limit_of(const json::Value& object, const char* key) {
    const json::Value* member = object.get(key);
    if (member == nullptr) return std::nullopt;
    if (member->is_number()) return member->number();
    const std::string text = text_of(object, key);
    return text.empty() ? std::nullopt : std::optional(std::strtod(text.c_str(), nullptr));
}

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

std::size_t characters(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned>(c) & 0xC0U) != 0x80U;
    }));
}

Result<json::Value> parse_file(const std::filesystem::path& file) {
    Result<json::Value> parsed = json::parse(read_file(file), {1'048'576, 32});
    if (!parsed) return Error(Errc::bad_data, file.string() + ": " + parsed.error().what);
    return parsed;
}

}  // namespace

Product::Rule Product::rule_from(const json::Value& property) {
    Rule rule;
    rule.type = lower(text_of(property, "dataType"));
    rule.min = limit_of(property, "min");
    rule.max = limit_of(property, "max");
    const json::Value* length = property.get("maxLength");
    if (length != nullptr && length->integer() != nullptr)
        rule.max_length = static_cast<std::size_t>(*length->integer());
    for (const json::Value& word : array_of(property, "enumList"))
        if (word.string() != nullptr) rule.words.push_back(*word.string());
    return rule;
}

Result<Product> Product::read(const std::filesystem::path& folder) {
    const Result<json::Value> types = parse_file(folder / "profile" / "devicetype-capability.json");
    if (!types) return types.error();
    Product product;
    const json::Value::Array& devices = array_of(*types, "devices");
    if (devices.empty()) return Error(Errc::bad_data, folder.string() + ": no device type");
    for (const json::Value& offered : array_of(devices.front(), "serviceTypeCapabilities")) {
        const std::string type = text_of(offered, "serviceType");
        const Result<json::Value> file =
            parse_file(folder / "service" / type / "profile" / "servicetype-capability.json");
        if (!file) return file.error();
        for (const json::Value& service : array_of(*file, "services")) {
            Rules& rules = product.services_[text_of(offered, "serviceId")];
            for (const json::Value& property : array_of(service, "properties"))
                rules[text_of(property, "propertyName")] = rule_from(property);
        }
    }
    return product;
}

std::string Product::fault_of(const Rule& rule, const json::Value& value) {
    if (rule.type == "int" || rule.type == "long" || rule.type == "decimal") {
        const bool whole = value.integer() != nullptr;
        if (!value.is_number() || (rule.type != "decimal" && !whole)) return "is no " + rule.type;
        const double number = value.number();
        if (rule.type == "int" && (number < -2147483648.0 || number > 2147483647.0))
            return "does not fit an int";
        if (rule.min && rule.max && *rule.min >= *rule.max) return "";
        if (rule.min && number < *rule.min) return "is below its minimum";
        if (rule.max && number > *rule.max) return "is above its maximum";
        return "";
    }
    if (rule.type == "boolean") return value.boolean() == nullptr ? "is no boolean" : "";
    if (rule.type == "jsonobject") return value.object() == nullptr ? "is no object" : "";
    if (rule.type == "string list" || rule.type == "stringlist")
        return value.array() == nullptr ? "is no list" : "";
    if (value.string() == nullptr) return "is no string";
    const std::string& text = *value.string();
    if (rule.max_length > 0 && characters(text) > rule.max_length) return "is too long";
    const bool listed = std::find(rule.words.begin(), rule.words.end(), text) != rule.words.end();
    return rule.words.empty() || listed ? "" : "is not in its enumList";
}

std::string Product::fault(const std::string& service, const std::string& property,
                           const json::Value& value) const {
    const auto rules = services_.find(service);
    if (rules == services_.end()) return "is of a service that the product does not have";
    const auto rule = rules->second.find(property);
    if (rule == rules->second.end()) return "is no property of the service";
    return fault_of(rule->second, value);
}

}  // namespace fieldgate::lab
