#include "tests/lab/demo/table.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace fieldgate::lab {
namespace {

constexpr std::size_t name_width = 13;
constexpr std::size_t value_width = 12;
constexpr std::size_t age_width = 8;
constexpr std::size_t line_width = 93;

std::string left(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text;
}

std::string right(const std::string& text, std::size_t width) {
    return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
}

std::string seconds_of(std::int64_t ms) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f s", static_cast<double>(ms) / 1000.0);
    return text.data();
}

std::string unquoted(const std::string& json) {
    const bool quoted = json.size() >= 2 && json.front() == '"';
    const std::string text = quoted ? json.substr(1, json.size() - 2) : json;
    return text.size() < value_width ? text : text.substr(0, value_width - 3) + "..";
}

std::string counts_line(const Table::Scene& scene) {
    const Counts& counts = scene.counts;
    return seconds_of(scene.running_ms) + "  connections " + std::to_string(counts.connections) +
           "  batches " + std::to_string(counts.batches) + "  records " +
           std::to_string(counts.records) + "  values " + std::to_string(counts.values) + "  KiB " +
           std::to_string(counts.bytes / 1024) + "  duplicates " +
           std::to_string(counts.duplicates) + "  violations " + std::to_string(scene.violations);
}

}  // namespace

void Table::add(const Record& record) {
    const bool shown = std::any_of(columns_.begin(), columns_.end(), [&](const Column& column) {
        return column.device == record.device;
    });
    for (const auto& [property, value] : record.properties) {
        Cell& cell = shown ? rows_[property][record.device] : own_[property];
        if (record.event_time >= cell.event_time) cell = {value, record.event_time};
    }
}

std::vector<std::string> Table::lines(const Scene& scene) const {
    std::vector<std::string> out{counts_line(scene), ""};
    std::string titles = left("", name_width);
    std::string statuses = left("", name_width);
    for (const Column& column : columns_) {
        const auto status = scene.statuses.find(column.device);
        titles += right(column.title, value_width) + left("", age_width);
        statuses += right(status == scene.statuses.end() ? "" : status->second, value_width) +
                    right("age", age_width);
    }
    out.push_back(titles);
    out.push_back(statuses);
    for (const auto& [property, cells] : rows_) {
        std::string line = left(property, name_width);
        for (const Column& column : columns_) {
            const auto cell = cells.find(column.device);
            const bool there = cell != cells.end();
            line += right(there ? unquoted(cell->second.value) : "", value_width) +
                    right(there ? seconds_of(scene.now - cell->second.event_time) : "", age_width);
        }
        out.push_back(line);
    }
    std::string own;
    for (const auto& [property, cell] : own_)
        own += (own.empty() ? "gateway:  " : ", ") + property + " " + unquoted(cell.value);
    if (!own.empty()) out.push_back(own.substr(0, line_width));
    return out;
}

}  // namespace fieldgate::lab
