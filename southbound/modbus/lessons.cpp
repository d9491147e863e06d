#include "southbound/modbus/lessons.h"

#include <array>
#include <optional>

#include "base/digest.h"
#include "base/json.h"

namespace fieldgate::southbound::modbus {
namespace {

std::string range_text(Table table, std::uint32_t first, std::uint32_t last) {
    std::string text = std::string(to_string(table)) + ':' + std::to_string(first);
    if (last != first) text += ".." + std::to_string(last);
    return text;
}

/// Reads the members of one object; false once one is missing or out of its range.
class Members {
public:
    explicit Members(const json::Value& object) : object_(object) {}

    template <class Number>
    void number(const char* name, Number& to, std::int64_t least, std::int64_t most) {
        const json::Value* const value = object_.get(name);
        const std::int64_t* const number = value ? value->integer() : nullptr;
        good_ = good_ && number && *number >= least && *number <= most;
        if (good_) to = static_cast<Number>(*number);
    }
    void table(Table& to) {
        const json::Value* const value = object_.get("table");
        const std::string* const name = value ? value->string() : nullptr;
        std::optional<Table> found;
        for (const Table table : all_tables)
            if (name && *name == to_string(table)) found = table;
        good_ = good_ && found;
        if (found) to = *found;
    }
    bool good() const { return good_; }

private:
    const json::Value& object_;
    bool good_ = true;
};

bool read(const json::Value& object, Lessons::Refusal& refusal) {
    Members members(object);
    members.table(refusal.table);
    members.number("first", refusal.first, 0, 0xFFFF);
    members.number("last", refusal.last, refusal.first, 0xFFFF);
    members.number("exception", refusal.exception, 0, 255);
    members.number("times", refusal.times, 1, 1'000'000);
    return members.good();
}

bool read(const json::Value& object, Lessons::Longest& longest) {
    Members members(object);
    members.table(longest.table);
    members.number("count", longest.count, 1, 2000);
    return members.good();
}

bool read(const json::Value& object, Lessons::Edge& edge) {
    Members members(object);
    members.table(edge.table);
    members.number("at", edge.at, 1, 0xFFFF);
    return members.good();
}

template <class Lesson>
bool read_all(const json::Value& object, const char* name, std::vector<Lesson>& to) {
    const json::Value* const list = object.get(name);
    if (!list || !list->array()) return false;
    for (const json::Value& item : *list->array()) {
        Lesson lesson;
        if (!read(item, lesson)) return false;
        to.push_back(lesson);
    }
    return true;
}

}  // namespace

std::vector<std::string> describe(const Lessons& lessons) {
    std::vector<std::string> lines;
    for (const Lessons::Refusal& refusal : lessons.refused) {
        std::string line = range_text(refusal.table, refusal.first, refusal.last);
        if (refusal.exception == Lessons::untrue)
            line += " answered with less than was asked for";
        else if (refusal.exception == Lessons::silence)
            line += " not answered";
        else
            line += " refused (exception " + std::to_string(refusal.exception) + ')';
        lines.push_back(std::move(line));
    }
    for (const Lessons::Longest& longest : lessons.longest)
        lines.push_back(std::string(to_string(longest.table)) + ": at most " +
                        std::to_string(longest.count) + " in one request");
    for (const Lessons::Edge& edge : lessons.edges)
        lines.push_back(range_text(edge.table, edge.at, edge.at) +
                        ": never in one request with what is before it");
    return lines;
}

void write_json(json::Writer& out, const Lessons& lessons) {
    out.open_object().key("refused").open_array();
    for (const Lessons::Refusal& refusal : lessons.refused) {
        out.open_object().member("table", to_string(refusal.table));
        out.member("first", refusal.first).member("last", refusal.last);
        out.member("exception", refusal.exception).member("times", refusal.times).close_object();
    }
    out.close_array().key("longest").open_array();
    for (const Lessons::Longest& longest : lessons.longest)
        out.open_object()
            .member("table", to_string(longest.table))
            .member("count", longest.count)
            .close_object();
    out.close_array().key("edges").open_array();
    for (const Lessons::Edge& edge : lessons.edges)
        out.open_object()
            .member("table", to_string(edge.table))
            .member("at", edge.at)
            .close_object();
    out.close_array().close_object();
}

Result<Lessons> lessons_of(std::string_view json) {
    const Result<json::Value> parsed = json::parse(json);
    if (!parsed) return parsed.error();
    return lessons_of(*parsed);
}

Result<Lessons> lessons_of(const json::Value& json) {
    Lessons lessons;
    const bool whole = read_all(json, "refused", lessons.refused) &&
                       read_all(json, "longest", lessons.longest) &&
                       read_all(json, "edges", lessons.edges);
    if (!whole) return Error(Errc::bad_data, "these are no lessons");
    return lessons;
}

std::string layout_digest(std::uint8_t unit, const RegisterMap& map) {
    std::string text = "unit " + std::to_string(unit) + " max " + std::to_string(map.max_registers);
    if (map.gap) text += " gap " + std::to_string(*map.gap);
    if (map.alone) text += " alone";
    if (map.min_registers > 1) text += " min " + std::to_string(map.min_registers);
    for (const AddressRange& range : map.forbidden)
        text += " never " + range_text(range.table, range.first, range.last);
    for (const Field& field : map.fields)
        text += ' ' + range_text(field.table, field.address, field.address) + '+' +
                std::to_string(width(field)) +
                (field.begins_at ? " from " + std::to_string(*field.begins_at) : "") +
                (field.never_read ? " never" : "");
    return sha256_hex(text);
}

}  // namespace fieldgate::southbound::modbus
