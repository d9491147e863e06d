#include "daemon/local/learned_report.h"

#include <utility>

#include "daemon/local/answering.h"
#include "southbound/modbus/lessons.h"

namespace fieldgate {
namespace {

std::string member_text(const json::Value& object, const char* name) {
    const json::Value* const member = object.get(name);
    return member && member->string() ? *member->string() : std::string();
}

}  // namespace

std::vector<LearnedLines> learned_of(const json::Value& status) {
    std::vector<LearnedLines> all;
    const json::Value* const devices = status.get("devices");
    if (!devices || !devices->array()) return all;
    for (const json::Value& device : *devices->array()) {
        const json::Value* const learned = device.get("learned");
        if (!learned) continue;
        const Result<southbound::modbus::Lessons> lessons =
            southbound::modbus::lessons_of(*learned);
        if (lessons) all.push_back({member_text(device, "name"), describe(*lessons)});
    }
    return all;
}

std::vector<LearnedLines> ask_what_was_learned(const Config& config) {
    const Result<std::string> answer = ask_local(config.local.control, "status");
    if (!answer) return {};
    json::Limits wide;
    wide.bytes = answer->size();
    const Result<json::Value> status = json::parse(*answer, wide);
    const bool same = status && member_text(*status, "config_hash") == config.hash;
    return same ? learned_of(*status) : std::vector<LearnedLines>();
}

}  // namespace fieldgate
