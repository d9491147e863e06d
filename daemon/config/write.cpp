#include "daemon/config/write.h"

#include <algorithm>

#include "daemon/config/words.h"

namespace fieldgate::config {
namespace {

using southbound::modbus::Field;
using southbound::modbus::Table;
using std::chrono::milliseconds;
using std::chrono::seconds;

bool is_number(const Field& field) {
    return field.values.empty() && !is_boolean(field) && field.type != RawType::string;
}

void read_limits(Fields& fields, const Field& field, WriteRule& rule) {
    Report& report = fields.report();
    for (const char* key : {"min", "max", "tolerance"}) {
        if (is_number(field) || !fields.has(key)) continue;
        report.error(fields.place().at(key, *fields.place().node->find(key)),
                     std::string(key) + " of what is no number", "remove it");
        return;
    }
    fields.decimal("min", rule.min);
    fields.decimal("max", rule.max);
    fields.decimal("tolerance", rule.tolerance);
    if (rule.tolerance && rule.tolerance->mantissa < 0) {
        report.error(*fields.get("tolerance"), "a tolerance below 0", "write 0 or more");
    }
    if (rule.min && rule.max && compare(*rule.min, *rule.max) > 0) {
        report.error(*fields.get("min"), "min is greater than max", "write the smaller one as min");
        return;
    }
    const auto span = value_span(field);
    if (!span) return;
    const auto beyond = [&](const std::optional<Decimal>& limit) {
        return limit && (to_long_double(*limit) < span->min || to_long_double(*limit) > span->max);
    };
    const std::string can = "it can be " + format_number(span->min) + " to " +
                            format_number(span->max) + " (raw value x scale + offset)";
    if (beyond(rule.min)) report.error(*fields.get("min"), "the point cannot hold min", can);
    if (beyond(rule.max)) report.error(*fields.get("max"), "the point cannot hold max", can);
}

void read_cloud_loss(const Place& place, ReadPoint& read, Report& report) {
    Fields fields(place, report, Keys::cloud_loss);
    WriteRule::CloudLoss loss;
    if (fields.require("after", "add after: 10m, how long the cloud must be lost"))
        fields.duration("after", loss.after, seconds(1), every_max);
    const auto set = fields.require("set", "add set: the value that is safe");
    const auto value = set ? read_writable(*set, read, report) : std::nullopt;
    if (!value) return;
    loss.set = *value;
    read.point.write->on_cloud_loss = loss;
}

void read_from(const Place& place, WriteRule& rule, Report& report) {
    const std::vector<Place> items = read_list(place, report);
    if (items.empty() && place.is(Node::Kind::list))
        report.error(place, "nobody may write", "name cloud, local or loss, or remove write");
    WriteRule::From from{false, false, false};
    for (const Place& item : items) {
        const auto word = read_word(item, report, {"cloud", "local", "loss"});
        if (!word) continue;
        bool& who = *word == 0 ? from.cloud : *word == 1 ? from.local : from.loss;
        if (who) report.error(item, '"' + raw_text(item) + "\" stands twice", "remove one");
        who = true;
    }
    rule.from = from;
}

// What nobody could ever do, or what would be done against the list.
void check_from(Fields& fields, const WriteRule& rule) {
    const auto loss = fields.get("on_cloud_loss");
    if (loss && !rule.from.loss)
        fields.report().error(*loss, "write.from does not name loss",
                              "add loss to from, or remove on_cloud_loss");
    const bool only_loss = rule.from.loss && !rule.from.cloud && !rule.from.local;
    if (only_loss && !loss)
        fields.report().error(*fields.get("from"), "nothing is written when the cloud is lost",
                              "add on_cloud_loss, or name who else may write");
}

// What cannot be done without reading.
void check_never_read(Fields& fields, const ReadPoint& read, Report& report) {
    if (!read.field.never_read) return;
    if (read.point.write->readback)
        report.error(*fields.get("verify"), "the point is never read",
                     "remove verify: readback, or read: never");
    if (read.field.bits && !read.point.write->mask)
        report.error(fields.place(), "bits are written by reading their register first",
                     "add mask: true (FC 22), or remove read: never");
}

// "0.5 is outside of min and max", or nothing.
std::string outside(Decimal value, const ReadPoint& read) {
    const auto& rule = read.point.write;
    if (rule && rule->min && compare(value, *rule->min) < 0) return "is less than min";
    if (rule && rule->max && compare(value, *rule->max) > 0) return "is greater than max";
    const auto span = value_span(read.field);
    if (span && (to_long_double(value) < span->min || to_long_double(value) > span->max))
        return "is more than the point can hold";
    return {};
}

}  // namespace

std::optional<Value> read_writable(const Place& place, const ReadPoint& read, Report& report) {
    const Field& field = read.field;
    const PropertyModel* property = read.point.model ? &*read.point.model : nullptr;
    if (!field.values.empty()) {
        const auto value = read_value(place, property, report);
        if (!value) return std::nullopt;
        std::vector<std::string> words;
        for (const auto& [raw, word] : field.values) {
            if (word == *value) return value;
            words.push_back(fieldgate::to_string(word));
        }
        report.error(place, '"' + raw_text(place) + "\" is none of the point's values",
                     did_you_mean(raw_text(place), words));
        return std::nullopt;
    }
    if (is_boolean(field)) {
        const auto word = read_word(place, report, {"true", "false"});
        return word ? std::optional<Value>(*word == 0) : std::nullopt;
    }
    if (field.type == RawType::string) {
        auto text = read_text(place, report);
        if (!text) return std::nullopt;
        if (text->size() <= field.length) return Value(std::move(*text));
        report.error(place, "longer than the point",
                     "at most " + std::to_string(field.length) + " bytes");
        return std::nullopt;
    }
    const auto number = read_decimal(place, report);
    if (!number) return std::nullopt;
    if (const std::string reason = outside(*number, read); !reason.empty()) {
        report.error(place, raw_text(place) + ' ' + reason, "correct the value, or the range");
        return std::nullopt;
    }
    if (const auto whole = parse_whole(raw_text(place))) return Value(*whole);
    return Value(*number);
}

void read_write(const Place& place, ReadPoint& read, Loading& loading) {
    Report& report = loading.report;
    Fields fields(place, report, Keys::write);
    const Field& field = read.field;
    if (field.table == Table::input || field.table == Table::discrete) {
        report.error(place, std::string("nobody can write to ") + to_string(field.table) + ':',
                     "coils and holding registers can be written");
        return;
    }
    const std::size_t errors = report.errors();
    WriteRule& rule = read.point.write.emplace();
    read_limits(fields, field, rule);
    fields.word<bool>("verify", rule.readback, {{"none", false}, {"readback", true}});
    // A command is answered within 14 s of its receipt; the write before the readback needs its
    // part of them.
    fields.duration("within", rule.within, milliseconds(10), seconds(10));
    fields.flag("mask", rule.mask);
    if (rule.mask && (!field.bits || southbound::modbus::width(field) != 1)) {
        report.error(*fields.get("mask"), "mask is for the bits of one register",
                     "FC 22 changes bits of a u16; add bits:, or remove mask");
    }
    check_never_read(fields, read, report);
    if (const auto loss = fields.get("on_cloud_loss")) read_cloud_loss(*loss, read, report);
    if (const auto from = fields.get("from")) read_from(*from, rule, report);
    if (report.errors() == errors) check_from(fields, rule);
    if (!read.point.model || report.errors() > errors) return;
    const PropertyModel& property = *read.point.model;
    const bool never = (rule.max && property.min && compare(*rule.max, *property.min) < 0) ||
                       (rule.min && property.max && compare(*rule.min, *property.max) > 0);
    if (never) {
        report.error(place, "min and max lie outside of the product model's range",
                     "nothing could ever be written; correct them, or the model");
    }
    if (!property.writable) {
        report.error(place, "the product model does not allow writing",
                     "its method has no W; change the model, or remove write");
    }
}

}  // namespace fieldgate::config
