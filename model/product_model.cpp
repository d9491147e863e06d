#include "model/product_model.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "model/member_reader.h"

namespace fieldgate {
namespace {

constexpr json::Limits limits{std::size_t{1} << 20, 32};  // the platform's own limit is 500 KB
constexpr std::size_t services_max = 500;
constexpr std::size_t members_max = 500;  // properties or commands of a service

struct TypeName {
    const char* name;
    DataType type;
};
// As the model spells them; the spellings of protocol reference 10.3 differ in case and in a space.
constexpr std::array<TypeName, 9> types{{{"int", DataType::integer},
                                         {"long", DataType::long_integer},
                                         {"decimal", DataType::decimal},
                                         {"string", DataType::string},
                                         {"DateTime", DataType::date_time},
                                         {"jsonObject", DataType::json_object},
                                         {"enum", DataType::enumeration},
                                         {"boolean", DataType::boolean},
                                         {"string list", DataType::string_list}}};

std::string folded(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (c != ' ') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

bool is_numeric(DataType type) {
    return type == DataType::integer || type == DataType::long_integer || type == DataType::decimal;
}

DataType read_type(MemberReader& reader) {
    const std::string text = reader.required_text("dataType");
    const std::string name = folded(text);
    for (const TypeName& type : types)
        if (folded(type.name) == name) return type.type;
    reader.fail("dataType", "\"" + text + "\" is no data type");
    return DataType::string;
}

// What properties and parameters have in common; `name_key` is paraName or propertyName.
void read_field(MemberReader& reader, std::string_view name_key, FieldModel& field) {
    field.name = reader.required_text(name_key);
    field.type = read_type(reader);
    field.required = reader.flag("required");
    field.unit = reader.text("unit");
    field.enum_list = reader.texts("enumList");
    field.max_length = reader.length("maxLength");
    if (!is_numeric(field.type)) return;  // limits are for numbers only, whatever else they say
    field.min = reader.number("min");
    field.max = reader.number("max");
    if (field.min && field.max && compare(*field.min, *field.max) > 0)
        reader.fail("min", "is above max");
    field.step = reader.number("step");
    if (!field.step) return;
    if (field.step->mantissa < 0) reader.fail("step", "is below 0");
    if (field.step->mantissa <= 0) field.step.reset();
}

FieldModel read_para(MemberReader& reader) {
    FieldModel field;
    read_field(reader, "paraName", field);
    return field;
}

// "RWE": R readable, W writable, E observable (reported on change, so readable to us). Absent or
// null: readable only.
void read_method(MemberReader& reader, PropertyModel& property) {
    const std::string method = reader.text("method");
    if (method.empty()) return;
    property.readable = method.find_first_of("REre") != std::string::npos;
    property.writable = method.find_first_of("Ww") != std::string::npos;
    if (method.find_first_not_of("RWErwe") != std::string::npos)
        reader.fail("method", "\"" + method + "\" is not made of R, W and E");
}

PropertyModel read_property(MemberReader& reader) {
    PropertyModel property;
    read_field(reader, "propertyName", property);
    read_method(reader, property);
    // The device's shadow could not be updated any more (protocol reference 10.1).
    if (property.name.find_first_of(std::string_view(".$\0", 3)) != std::string::npos)
        reader.fail("propertyName", "\"" + property.name + "\" must have no '.', '$' or NUL");
    return property;
}

ResponseModel read_response(MemberReader& reader) {
    ResponseModel response;
    response.name = reader.required_text("responseName");
    response.paras = reader.each("paras", members_max, read_para);
    return response;
}

CommandModel read_command(MemberReader& reader) {
    CommandModel command;
    command.name = reader.required_text("commandName");
    command.paras = reader.each("paras", members_max, read_para);
    command.responses = reader.each("responses", members_max, read_response);
    return command;
}

// The first name that stands twice among the `names` of `items`.
template <class Item>
void refuse_twins(MemberReader& reader, std::string_view key, const std::vector<Item>& items,
                  std::string Item::*name) {
    std::vector<std::string_view> names;
    for (const Item& item : items) names.push_back(item.*name);
    std::sort(names.begin(), names.end());
    const auto twin = std::adjacent_find(names.begin(), names.end());
    if (twin != names.end()) reader.fail(key, "\"" + std::string(*twin) + "\" stands twice");
}

// Properties and commands of a service; its id is for the caller.
ServiceModel read_service(MemberReader& reader) {
    ServiceModel service;
    service.properties = reader.each("properties", members_max, read_property);
    service.commands = reader.each("commands", members_max, read_command);
    refuse_twins<PropertyModel>(reader, "properties", service.properties, &PropertyModel::name);
    refuse_twins<CommandModel>(reader, "commands", service.commands, &CommandModel::name);
    return service;
}

// A service type by its own name, as its file has it.
ServiceModel read_service_type(MemberReader& reader) {
    ServiceModel type = read_service(reader);
    type.id = reader.required_text("serviceType");
    return type;
}

ServiceModel read_api_service(MemberReader& reader) {
    ServiceModel service = read_service(reader);
    service.id = reader.required_text("serviceId");
    return service;
}

struct Capability {
    std::string service_id;
    std::string service_type;
};

Capability read_capability(MemberReader& reader) {
    return {reader.required_text("serviceId"), reader.required_text("serviceType")};
}

struct Device {
    std::string device_type;
    std::string manufacturer_id;
    std::vector<Capability> capabilities;
};

Device read_device(MemberReader& reader) {
    Device device;
    device.device_type = reader.required_text("deviceType");
    device.manufacturer_id = reader.required_text("manufacturerId");
    if (!reader.get("serviceTypeCapabilities"))
        reader.fail("serviceTypeCapabilities", "is missing");
    device.capabilities = reader.each("serviceTypeCapabilities", services_max, read_capability);
    refuse_twins(reader, "serviceTypeCapabilities", device.capabilities, &Capability::service_id);
    return device;
}

Result<json::Value> parse_document(std::string_view text, const std::string& where) {
    Result<json::Value> document = json::parse(text, limits);
    if (document) return document;
    return Error(document.error().code, where + document.error().what);
}

Result<std::vector<ServiceModel>> read_service_types(const std::vector<std::string>& texts) {
    std::vector<ServiceModel> types_found;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const std::string where = "servicetype-capability.json[" + std::to_string(i) + "]" + ": ";
        const auto document = parse_document(texts[i], where);
        if (!document) return document.error();
        std::optional<Error> error;
        MemberReader reader(*document, where, error);
        if (!reader.get("services")) reader.fail("services", "is missing");
        for (ServiceModel& type : reader.each("services", services_max, read_service_type))
            types_found.push_back(std::move(type));
        refuse_twins(reader, "services", types_found, &ServiceModel::id);
        if (error) return *error;
    }
    return types_found;
}

template <class Item>
const Item* find(const std::vector<Item>& items, std::string Item::*name, std::string_view wanted) {
    for (const Item& item : items)
        if (item.*name == wanted) return &item;
    return nullptr;
}

}  // namespace

const char* to_string(DataType type) { return types[static_cast<std::size_t>(type)].name; }

const PropertyModel* ServiceModel::property(std::string_view name) const {
    return find<PropertyModel>(properties, &PropertyModel::name, name);
}

const CommandModel* ServiceModel::command(std::string_view name) const {
    return find(commands, &CommandModel::name, name);
}

const ServiceModel* ProductModel::service(std::string_view id) const {
    return find(services, &ServiceModel::id, id);
}

Result<ProductModel> product_model_from_export(
    std::string_view device_type_capability,
    const std::vector<std::string>& service_type_capabilities) {
    const std::string where = "devicetype-capability.json: ";
    const auto document = parse_document(device_type_capability, where);
    if (!document) return document.error();
    std::optional<Error> error;
    MemberReader reader(*document, where, error);
    std::vector<Device> devices = reader.each("devices", members_max, read_device);
    if (devices.empty()) reader.fail("devices", "is missing or empty");
    if (error) return *error;
    const auto service_types = read_service_types(service_type_capabilities);
    if (!service_types) return service_types.error();

    ProductModel model;
    Device& device = devices.front();  // the package describes one
    model.device_type = std::move(device.device_type);
    model.manufacturer_id = std::move(device.manufacturer_id);
    for (std::size_t i = 0; i < device.capabilities.size(); ++i) {
        const Capability& capability = device.capabilities[i];
        const auto* type = find(*service_types, &ServiceModel::id, capability.service_type);
        if (!type)
            return Error(Errc::bad_data, where + "devices[0].serviceTypeCapabilities[" +
                                             std::to_string(i) +
                                             "].serviceType: no file for service type \"" +
                                             capability.service_type + "\"");
        model.services.push_back(*type);
        model.services.back().id = capability.service_id;
    }
    return model;
}

Result<ProductModel> product_model_from_api(std::string_view json) {
    const auto document = parse_document(json, "");
    if (!document) return document.error();
    std::optional<Error> error;
    MemberReader reader(*document, "", error);
    ProductModel model;
    model.device_type = reader.text("deviceType");
    model.manufacturer_id = reader.text("manufacturerId");
    if (!reader.get("serviceCapabilities")) reader.fail("serviceCapabilities", "is missing");
    model.services = reader.each("serviceCapabilities", services_max, read_api_service);
    refuse_twins(reader, "serviceCapabilities", model.services, &ServiceModel::id);
    if (error) return *error;
    return model;
}

}  // namespace fieldgate
