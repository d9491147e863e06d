#include "tests/lab/demo/verdict.h"

#include <set>

namespace fieldgate::lab {
namespace {

constexpr std::size_t told_max = 20;

// Many lines of one kind hide the others.
void append_first(std::vector<std::string>& to, const std::vector<std::string>& from,
                  const std::string& kind) {
    for (std::size_t i = 0; i < from.size() && i < told_max; ++i) to.push_back(kind + from[i]);
    if (from.size() > told_max)
        to.push_back(kind + "and " + std::to_string(from.size() - told_max) + " more");
}

}  // namespace

std::vector<std::string> verdict(const Truth& truth, std::chrono::milliseconds tick,
                                 const std::vector<Record>& records,
                                 const std::vector<Violation>& violations) {
    std::set<std::pair<std::string, std::string>> missing;
    std::set<std::string> devices;
    for (const auto& key : truth.properties()) {
        missing.insert(key);
        devices.insert(key.first);
    }
    std::vector<std::string> wrong;
    for (const Record& record : records) {
        if (devices.count(record.device) == 0) continue;  // the gateway's own health
        for (const auto& [property, value] : record.properties) {
            missing.erase({record.device, property});
            if (truth.held(record.device, property, record.event_time, tick, value)) continue;
            std::string line = record.device;
            line.append(" ").append(property).append(" = ").append(value).append(" at ");
            line += std::to_string(record.event_time) + "; the plant had ";
            line += truth.around(record.device, property, record.event_time, tick);
            wrong.push_back(std::move(line));
        }
    }
    std::vector<std::string> absent;
    for (const auto& [device, property] : missing)
        absent.push_back(std::string(device).append(" ").append(property));
    std::vector<std::string> judged;
    for (const Violation& violation : violations) judged.push_back(violation.text);

    std::vector<std::string> faults;
    if (devices.empty()) faults.emplace_back("missing: the plant told nothing of its values");
    append_first(faults, absent, "missing: ");
    append_first(faults, wrong, "wrong: ");
    append_first(faults, judged, "violation: ");
    return faults;
}

}  // namespace fieldgate::lab
