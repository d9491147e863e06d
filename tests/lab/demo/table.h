#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/lab/platform/judge.h"

namespace fieldgate::lab {

/// What a demo shows: properties down, devices across, each value with its age; below, what devices
/// without a column (the gateway) say of themselves. Pure.
class Table {
public:
    struct Column {
        std::string device;
        std::string title;
    };
    struct Scene {
        std::int64_t now = 0;  ///< ms since 1970
        std::int64_t running_ms = 0;
        Counts counts;
        std::size_t violations = 0;
        std::map<std::string, std::string> statuses;  ///< device -> ONLINE, OFFLINE, INACTIVE
    };

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    void add(const Record& record);
    /// Lines without escape sequences.
    std::vector<std::string> lines(const Scene& scene) const;

private:
    struct Cell {
        std::string value;
        std::int64_t event_time = 0;
    };
    std::vector<Column> columns_;
    std::map<std::string, std::map<std::string, Cell>> rows_;  ///< property -> device -> cell
    std::map<std::string, Cell> own_;
};

}  // namespace fieldgate::lab
