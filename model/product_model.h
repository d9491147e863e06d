#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/value.h"

namespace fieldgate {

/// Data types of the platform's product model (protocol reference 10.3). Compared without case when
/// read.
enum class DataType : std::uint8_t {
    integer,       ///< "int", 32 bit
    long_integer,  ///< "long", 64 bit
    decimal,
    string,
    date_time,  ///< "DateTime", UTC yyyyMMdd'T'HHmmss'Z'
    json_object,
    enumeration,  ///< "enum": a string of enum_list
    boolean,
    string_list,
};
/// "int", "long", "decimal", ... as the model spells it.
const char* to_string(DataType type);

/// What a property or a command parameter may be worth.
struct FieldModel {
    std::string name;
    DataType type = DataType::string;
    bool required = false;
    std::optional<Decimal> min;  ///< Numbers only; both ends included.
    std::optional<Decimal> max;
    std::optional<Decimal>
        step;  ///< The grid that values are rounded to; absent if the model says 0.
    std::size_t max_length = 0;          ///< Strings, in characters; 0: unlimited.
    std::vector<std::string> enum_list;  ///< Empty: any.
    std::string unit;
    bool operator==(const FieldModel&) const = default;
};

struct PropertyModel : FieldModel {
    bool readable = true;
    bool writable = false;
    bool operator==(const PropertyModel&) const = default;
};

struct ResponseModel {
    std::string name;
    std::vector<FieldModel> paras;
    bool operator==(const ResponseModel&) const = default;
};

struct CommandModel {
    std::string name;
    std::vector<FieldModel> paras;
    std::vector<ResponseModel> responses;
    bool operator==(const CommandModel&) const = default;
};

struct ServiceModel {
    std::string id;  ///< service_id of the messages.
    std::vector<PropertyModel> properties;
    std::vector<CommandModel> commands;

    const PropertyModel* property(std::string_view name) const;
    const CommandModel* command(std::string_view name) const;
    bool operator==(const ServiceModel&) const = default;
};

/// A product: what its devices may say and be told.
struct ProductModel {
    std::string device_type;
    std::string manufacturer_id;
    std::vector<ServiceModel> services;

    const ServiceModel* service(std::string_view id) const;
    bool operator==(const ProductModel&) const = default;
};

/// The console's export: the text of devicetype-capability.json and of each
/// servicetype-capability.json. Errors: bad_data (no JSON, missing or wrong members, a service type
/// without its file), out_of_range (more than 1 MB or 32 levels in a text); with where.
Result<ProductModel> product_model_from_export(
    std::string_view device_type_capability,
    const std::vector<std::string>& service_type_capabilities);

/// The product API's JSON (snake_case, `service_capabilities`); every field in either spelling.
/// Errors: as above.
Result<ProductModel> product_model_from_api(std::string_view json);

}  // namespace fieldgate
