#pragma once
#include <optional>
#include <string>
#include <vector>

#include "daemon/config/loading.h"
#include "model/point.h"
#include "southbound/modbus/field.h"

namespace fieldgate::config {

/// What a template says once for all of its points.
struct Defaults {
    ReportRule report;
    southbound::modbus::Order order;
    std::int64_t address_base = 0;
    southbound::modbus::RegisterMap map;  ///< Without fields.
};

/// A point as it was read, with where it stands.
struct ReadPoint {
    Place place;  ///< The point's map.
    Place name;   ///< The property's name.
    Point point;
    southbound::modbus::Field field;  ///< modbus
    SelfValue self = SelfValue::uptime;
};

/// `services.SERVICE.PROPERTY` of a modbus template. nullopt, with problems, if it is unusable.
/// `property` is the model's, if there is one.
std::optional<ReadPoint> read_modbus_point(const Place& place, const Defaults& defaults,
                                           const PropertyModel* property, Loading& loading);
/// The same of a template of protocol self.
std::optional<ReadPoint> read_self_point(const Place& place, const Defaults& defaults,
                                         Loading& loading);

/// `report:`, or of defaults.
void read_report(const Place& place, ReportRule& rule, Report& report);
/// `write:`; after the field.
void read_write(const Place& place, ReadPoint& read, Loading& loading);
/// A word of `values`, or what is written: true, false, a number, a text; what the model wants.
std::optional<Value> read_value(const Place& place, const PropertyModel* property, Report& report);

// Where a point lies (address.cpp).
/// "holding:40", "coil:0x10".
void read_at(const Place& place, std::int64_t address_base, southbound::modbus::Field& field,
             Report& report);
/// "holding:40..49".
std::optional<southbound::modbus::AddressRange> read_range(const Place& place,
                                                           std::int64_t address_base,
                                                           Report& report);
/// The two-register order that `defaults` may name.
void read_default_order(const Place& place, southbound::modbus::Order& order, Report& report);
/// The order of this field's type.
void read_order(const Place& place, southbound::modbus::Field& field, Report& report);
/// Type, bits and length given: width, table, forbidden ranges, max_registers.
void check_extent(const Place& place, const southbound::modbus::Field& field,
                  const southbound::modbus::RegisterMap& map, Report& report);

// What is known of a type (raw.cpp).
using southbound::modbus::RawType;
extern const std::vector<std::pair<std::string, RawType>> raw_types;
const std::string& type_name(RawType type);
/// Bits of the raw value: of the type, or of `bits`.
unsigned raw_bits(const southbound::modbus::Field& field);
bool is_integer(RawType type);
bool is_signed(RawType type);
bool is_float(RawType type);
/// bool, or one bit.
bool is_boolean(const southbound::modbus::Field& field);
/// A raw value as it stands in the file -> its bit pattern; a problem if it does not fit.
std::optional<std::uint64_t> read_raw(const Place& place, const southbound::modbus::Field& field,
                                      Report& report);
/// What raw * scale + offset can be; nullopt for floats, strings and `values`.
struct Span {
    long double min = 0;
    long double max = 0;
};
std::optional<Span> value_span(const southbound::modbus::Field& field);
std::string format_number(long double value);
long double to_long_double(Decimal value);

// What the product model says of a point (model_checks.cpp).
void check_against_model(const ReadPoint& read, const PropertyModel& property, bool self,
                         Report& report);

}  // namespace fieldgate::config
