#include "tests/lab/demo/field.h"

#include <fstream>

#include "base/json.h"
#include "tests/lab/demo/site.h"

namespace fieldgate::lab {
namespace {

std::string text_of(const json::Value& object, const char* key) {
    const json::Value* member = object.get(key);
    return member != nullptr && member->string() != nullptr ? *member->string() : "";
}

std::int64_t integer_of(const json::Value& object, const char* key) {
    const json::Value* member = object.get(key);
    return member != nullptr && member->integer() != nullptr ? *member->integer() : 0;
}

}  // namespace

Result<Field> Field::start(const std::string& program, const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    Child::Options options;
    options.lines = true;
    Field field(Child({program, "--folder", folder}, options));
    const std::optional<std::string> line = field.child_.read_line(std::chrono::seconds(10));
    if (!line) return Error(Errc::timeout, program + " did not say where it serves");
    const Result<json::Value> serves = json::parse(*line);
    if (!serves) return Error(Errc::bad_data, program + " said \"" + *line + "\"");
    field.serial_ = text_of(*serves, "serial");
    field.tcp_port_ = static_cast<std::uint16_t>(integer_of(*serves, "tcp"));
    field.truth_file_ = text_of(*serves, "truth");
    field.tick_ = std::chrono::milliseconds(integer_of(*serves, "tick_ms"));
    return field;
}

Truth Field::truth() const {
    Truth truth;
    std::ifstream lines(truth_file_);
    for (std::string line; std::getline(lines, line);) {
        const Result<json::Value> moment = json::parse(line);
        if (!moment || moment->get("value") == nullptr) continue;
        std::string value;
        json::append_value(value, *moment->get("value"));
        truth.add(Site::device(text_of(*moment, "device")), text_of(*moment, "property"),
                  integer_of(*moment, "at"), value);
    }
    return truth;
}

}  // namespace fieldgate::lab
