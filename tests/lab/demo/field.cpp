#include "tests/lab/demo/field.h"

#include <fstream>

#include "base/json.h"
#include "tests/lab/demo/site.h"

namespace fieldgate::lab {
namespace {

const std::string press = "press";

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
    const std::string serial = folder / "line1";
    const std::string truth_file = folder / "truth";
    Field field(Child({program, "--values", "power-meter", "--truth", truth_file, "--rtu",
                       serial + "=1..3@" + std::to_string(Site::baud), "--tcp",
                       press + ("=" + std::to_string(Site::press_unit))},
                      options));
    const std::optional<std::string> line = field.child_.read_line(std::chrono::seconds(10));
    if (!line) return Error(Errc::timeout, program + " did not say where it serves");
    const Result<json::Value> serves = json::parse(*line);
    const json::Value* tcp = serves ? serves->get("tcp") : nullptr;
    const json::Value* place = tcp == nullptr ? nullptr : tcp->get(press);
    if (place == nullptr) return Error(Errc::bad_data, program + " said \"" + *line + "\"");
    field.serial_ = serial;
    field.tcp_port_ = static_cast<std::uint16_t>(integer_of(*place, "port"));
    field.truth_file_ = truth_file;
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
        const bool is_press = text_of(*moment, "site") == press;
        const std::string node =
            is_press ? "PRESS-1" : "METER-" + std::to_string(integer_of(*moment, "unit"));
        truth.add(Site::device(node), text_of(*moment, "name"), integer_of(*moment, "time"), value);
    }
    return truth;
}

}  // namespace fieldgate::lab
