#include "daemon/config/points.h"

#include <algorithm>

#include "daemon/config/words.h"

namespace fieldgate::config {
namespace {

using southbound::modbus::Bits;
using southbound::modbus::Field;
using southbound::modbus::Table;
using southbound::modbus::Trim;

// The longest string that one request can read.
constexpr std::int64_t length_max = 250;

const std::vector<std::pair<std::string, SelfValue>> self_values{
    {"uptime", SelfValue::uptime},
    {"outbox.accepted", SelfValue::outbox_accepted},
    {"outbox.acknowledged", SelfValue::outbox_acknowledged},
    {"outbox.pending", SelfValue::outbox_pending},
    {"outbox.evicted", SelfValue::outbox_evicted},
    {"outbox.quarantined", SelfValue::outbox_quarantined},
    {"devices.online", SelfValue::devices_online},
    {"devices.offline", SelfValue::devices_offline},
    {"buses.up", SelfValue::buses_up},
    {"wire.errors", SelfValue::wire_errors},
    {"reconnects", SelfValue::reconnects},
    {"store.bytes", SelfValue::store_bytes},
    {"clock.quality", SelfValue::clock_quality},
    {"version", SelfValue::version},
    {"config.hash", SelfValue::config_hash}};

void read_bits(const Place& place, Field& field, Report& report) {
    const bool is_unsigned =
        field.type == RawType::u16 || field.type == RawType::u32 || field.type == RawType::u64;
    if (!is_unsigned) {
        report.error(place, "bits of " + type_name(field.type),
                     "bits are picked from u16, u32 or u64");
        return;
    }
    const auto text = read_text(place, report);
    if (!text) return;
    const Ends ends = parse_ends(*text);
    const auto first = parse_whole(ends.first);
    const auto last = parse_whole(ends.last);
    const std::int64_t top = std::int64_t{southbound::modbus::width(field)} * 16 - 1;
    if (!first || !last) {
        report.error(place, '"' + *text + "\" is no bit",
                     "write a bit, such as 3, or a range, such as 8..11");
    } else if (*first > *last) {
        report.error(place, "the range " + *text + " is empty", "write the smaller bit first");
    } else if (*first < 0 || *last > top) {
        report.error(place, *text + " is beyond the type", "bits 0 to " + std::to_string(top));
    } else {
        field.bits = Bits{static_cast<std::uint8_t>(*first), static_cast<std::uint8_t>(*last)};
    }
}

void refuse(Fields& fields, std::string_view key, const std::string& what,
            const std::string& hint) {
    const Node* node = fields.place().node->find(key);
    if (node != nullptr) fields.report().error(fields.place().at(key, *node), what, hint);
}

// bits, length, order, trim: what the type's raw value is.
void read_form(Fields& fields, Field& field) {
    if (const auto bits = fields.get("bits")) read_bits(*bits, field, fields.report());
    if (field.type == RawType::string) {
        if (fields.require("length", "add length: N, in bytes"))
            fields.whole("length", field.length, 1, length_max);
        fields.word<Trim>("trim", field.trim,
                          {{"nul", Trim::nul}, {"space", Trim::space}, {"none", Trim::none}});
    } else {
        refuse(fields, "length", "the length of " + type_name(field.type) + " is fixed",
               "length belongs to strings; remove it");
        refuse(fields, "trim", "trim belongs to strings", "remove it");
    }
    if (const auto order = fields.get("order")) read_order(*order, field, fields.report());
}

void read_scale(Fields& fields, Field& field) {
    const bool number = (is_integer(field.type) || is_float(field.type)) && !is_boolean(field);
    for (const char* key : {"scale", "offset"}) {
        if (!number) refuse(fields, key, std::string(key) + " of what is no number", "remove it");
        if (number && fields.has("values"))
            refuse(fields, key, std::string(key) + " and values exclude each other",
                   "values are listed by their raw value; remove one of them");
    }
    if (!number) return;
    std::optional<Decimal> scale;
    std::optional<Decimal> offset;
    fields.decimal("scale", scale);
    fields.decimal("offset", offset);
    if (scale && scale->mantissa == 0) {
        refuse(fields, "scale", "a scale of 0", "every value would be the offset; remove it");
    } else if (scale) {
        field.scale = *scale;
    }
    if (offset) field.offset = *offset;
}

void read_absent(const Place& place, Field& field, Report& report) {
    if (field.type == RawType::string) {
        report.error(place, "absent of a string", "raw values of numbers only; remove it");
        return;
    }
    // A boolean in a register is compared whole.
    Field whole = field;
    const bool bit = field.table == Table::coil || field.table == Table::discrete;
    if (field.type == RawType::boolean && !bit) whole.type = RawType::u16;
    for (const Place& item : read_list(place, report)) {
        if (const auto raw = read_raw(item, whole, report)) field.absent.push_back(*raw);
    }
}

void read_values(const Place& place, Field& field, const PropertyModel* property, Report& report) {
    if (field.type == RawType::string || is_float(field.type)) {
        report.error(place, "values of " + type_name(field.type),
                     "values list the raw values of integers and bits");
        return;
    }
    if (!place.is(Node::Kind::map) || place.node->keys.empty()) {
        report.error(place, "no map of values", "write { 1: day, 2: night }");
        return;
    }
    for (std::size_t i = 0; i < place.node->keys.size(); ++i) {
        const Node& key = place.node->keys[i];
        const Place key_place = place.at(key.text, key);
        const auto raw = read_raw(key_place, field, report);
        auto value = read_value(place.at(key.text, place.node->items[i]), property, report);
        if (!raw || !value) continue;
        const bool twice = std::any_of(field.values.begin(), field.values.end(),
                                       [&](const auto& known) { return known.first == *raw; });
        if (twice) {
            report.error(key_place, "the raw value stands twice",
                         "decimal and hexadecimal mean the same; remove one");
        } else {
            field.values.emplace_back(*raw, std::move(*value));
        }
    }
}

// every, report, priority, unit: the same for every protocol.
void read_common(Fields& fields, const Defaults& defaults, Point& point) {
    point.report = defaults.report;
    if (fields.has("every")) {
        std::chrono::milliseconds every{0};
        fields.duration("every", every, every_min, every_max);
        if (every.count() > 0) point.every = every;
    }
    if (const auto report = fields.get("report")) {
        point.report = ReportRule();
        read_report(*report, point.report, fields.report());
    }
    fields.word<Priority>("priority", point.priority,
                          {{"normal", Priority::normal}, {"alarm", Priority::alarm}});
    fields.text("unit", point.unit);
}

// A deadband needs numbers: one that the point asks for is an error, a default one means "any".
void check_deadband(Fields& fields, bool number, Point& point) {
    if (number || (point.report.change != ReportRule::Change::absolute &&
                   point.report.change != ReportRule::Change::percent))
        return;
    const Node* own = fields.place().node->find("report");
    if (own != nullptr) {
        fields.report().error(fields.place().at("report", *own), "a deadband on what is no number",
                              "write change: any");
    }
    point.report.change = ReportRule::Change::any;
    point.report.amount = Decimal();
}

// read, begins_at: how the point is asked for, or that it is not.
void read_reading(Fields& fields, const Defaults& defaults, Field& field) {
    fields.word<bool>("read", field.never_read, {{"auto", false}, {"never", true}});
    if (field.never_read && !fields.has("write"))
        fields.report().error(*fields.get("read"), "a point that is neither read nor written",
                              "add write:, or remove the point");
    const auto place = fields.get("begins_at");
    if (!place) return;
    if (field.never_read)
        fields.report().error(*place, "the beginning of what is never read", "remove begins_at");
    Field begin;
    const std::size_t errors = fields.report().errors();
    read_at(*place, defaults.address_base, begin, fields.report());
    if (fields.report().errors() > errors) return;
    if (begin.table != field.table || begin.address > field.address)
        fields.report().error(
            *place, "begins_at is not before the point",
            std::string("write an address of ") + to_string(field.table) + ": up to its own");
    else if (field.address + southbound::modbus::width(field) - begin.address >
             defaults.map.max_registers)
        fields.report().error(*place, "too far before the point",
                              "one request must reach from there to its end, with " +
                                  std::to_string(defaults.map.max_registers) + " at most");
    else
        field.begins_at = begin.address;
}

bool read_type(Fields& fields, Field& field) {
    const auto place = fields.require("type", "add type: u16, or what the device's manual says");
    if (!place || !read_text(*place, fields.report())) return false;
    std::vector<std::string> names;
    for (const auto& [name, type] : raw_types) names.push_back(name);
    const auto found = std::find(names.begin(), names.end(), raw_text(*place));
    if (found == names.end()) {
        fields.report().error(*place, '"' + raw_text(*place) + "\" is no type",
                              did_you_mean(raw_text(*place), names));
        return false;
    }
    field.type = raw_types[static_cast<std::size_t>(found - names.begin())].second;
    return true;
}

// The default order as far as it concerns this field.
void take_default_order(const Defaults& defaults, Field& field) {
    if (field.type == RawType::string || field.type == RawType::boolean) return;
    field.order = defaults.order;
    if (southbound::modbus::width(field) == 1) field.order.words_swapped = false;
}

}  // namespace

void read_report(const Place& place, ReportRule& rule, Report& report) {
    Fields fields(place, report, Keys::report);
    rule.change = ReportRule::Change::any;
    if (const auto change = fields.get("change"); change && !is_word(*change, "any")) {
        std::string text = raw_text(*change);
        const bool percent = text.ends_with('%');
        if (percent) text.pop_back();
        const auto amount =
            looks_decimal(text) && !change->node->quoted ? parse_decimal(text) : std::nullopt;
        if (amount && amount->mantissa > 0) {
            rule.change = percent ? ReportRule::Change::percent : ReportRule::Change::absolute;
            rule.amount = *amount;
        } else {
            report.error(*change, '"' + raw_text(*change) + "\" is no change",
                         "write any, a number above 0 such as 0.5, or a percentage such as 1%");
        }
    }
    fields.duration("min", rule.min, microseconds(0), every_max);
    fields.duration("max", rule.max, std::chrono::milliseconds(10), every_max);
    if (rule.max.count() > 0 && rule.min > rule.max) {
        report.error(place, "min is longer than max",
                     "min: not more often; max: at least this often");
    }
}

std::optional<Value> read_value(const Place& place, const PropertyModel* property, Report& report) {
    if (!place.is(Node::Kind::scalar)) {
        report.error(place, "no value", "write true, false, a number or a word");
        return std::nullopt;
    }
    const std::string& text = raw_text(place);
    const bool bare = !place.node->quoted;
    if (property != nullptr && property->type == DataType::boolean) {
        const auto word = read_word(place, report, {"true", "false"});
        return word ? std::optional<Value>(*word == 0) : std::nullopt;
    }
    const bool number = property == nullptr || property->type == DataType::integer ||
                        property->type == DataType::long_integer ||
                        property->type == DataType::decimal;
    if (!number) return Value(text);
    if (bare && (text == "true" || text == "false")) return Value(text == "true");
    if (bare && looks_decimal(text)) {
        if (const auto whole = parse_whole(text)) return Value(*whole);
        if (const auto decimal = parse_decimal(text)) return Value(*decimal);
    }
    if (property == nullptr) return Value(text);
    report.error(place, '"' + text + "\" is no " + fieldgate::to_string(property->type),
                 "the product model wants a number");
    return std::nullopt;
}

std::optional<ReadPoint> read_modbus_point(const Place& place, const Defaults& defaults,
                                           const PropertyModel* property, Loading& loading) {
    const std::size_t errors = loading.report.errors();
    Fields fields(place, loading.report, Keys::point);
    ReadPoint read;
    read.place = place;
    Field& field = read.field;
    const auto at = fields.require("at", "add at: holding:N, the register where it lies");
    if (at) read_at(*at, defaults.address_base, field, loading.report);
    read_common(fields, defaults, read.point);
    if (!read_type(fields, field)) return std::nullopt;
    if (property != nullptr) read.point.model = *property;
    take_default_order(defaults, field);
    read_form(fields, field);
    read_scale(fields, field);
    if (loading.report.errors() > errors) return std::nullopt;
    check_extent(*at, field, defaults.map, loading.report);
    read_reading(fields, defaults, field);
    if (const auto absent = fields.get("absent")) read_absent(*absent, field, loading.report);
    if (const auto values = fields.get("values"))
        read_values(*values, field, property, loading.report);
    const bool number = !is_boolean(field) && field.type != RawType::string && field.values.empty();
    check_deadband(fields, number, read.point);
    if (loading.report.errors() == errors && property != nullptr)
        check_against_model(read, *property, false, loading.report);
    if (loading.report.errors() > errors) return std::nullopt;
    if (const auto write = fields.get("write")) read_write(*write, read, loading);
    if (loading.report.errors() > errors) return std::nullopt;
    return read;
}

std::optional<ReadPoint> read_self_point(const Place& place, const Defaults& defaults,
                                         Loading& loading) {
    const std::size_t errors = loading.report.errors();
    Fields fields(place, loading.report, Keys::self_point);
    ReadPoint read;
    read.place = place;
    const auto at = fields.require("at", "add at: uptime, or another value of the gateway");
    if (at && read_text(*at, loading.report)) {
        std::vector<std::string> names;
        for (const auto& [name, value] : self_values) names.push_back(name);
        const auto found = std::find(names.begin(), names.end(), raw_text(*at));
        if (found == names.end()) {
            loading.report.error(*at, '"' + raw_text(*at) + "\" is no value of the gateway",
                                 did_you_mean(raw_text(*at), names));
        } else {
            read.self = self_values[static_cast<std::size_t>(found - names.begin())].second;
        }
    }
    read_common(fields, defaults, read.point);
    const bool text = read.self == SelfValue::version || read.self == SelfValue::config_hash ||
                      read.self == SelfValue::clock_quality;
    check_deadband(fields, !text, read.point);
    if (loading.report.errors() > errors) return std::nullopt;
    return read;
}

}  // namespace fieldgate::config
