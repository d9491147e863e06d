// fieldgate-platform: the lab's cloud as a program. One JSON line for each record, status and
// violation; the first line says where it listens. Ends on SIGINT or SIGTERM: 0, or 1 if there was
// a violation.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "base/json.h"
#include "tests/lab/platform/platform.h"

namespace {

using namespace fieldgate;
using namespace fieldgate::lab;

constexpr const char* usage =
    "usage: fieldgate-platform --devices FILE [--port N] [--folder DIR] [--out FILE]\n"
    "                          [--product ID=EXPORT_FOLDER] [--lanes N]\n"
    "FILE: one \"device_id secret\" or \"device_id x509\" a line\n";

volatile std::sig_atomic_t stopping = 0;

std::string quoted(const std::string& text) {
    std::string out;
    json::append_string(out, text);
    return out;
}

std::string line_of(const Record& record) {
    std::string values;
    for (const auto& [name, value] : record.properties)
        values += (values.empty() ? "" : ",") + quoted(name) + ":" + value;
    return R"({"record":{"arrived":)" + std::to_string(record.arrived) + R"(,"device":)" +
           quoted(record.device) + R"(,"service":)" + quoted(record.service) + R"(,"event_time":)" +
           std::to_string(record.event_time) + R"(,"properties":{)" + values + "}}}\n";
}

std::string line_of(const Status& status) {
    return R"({"status":{"arrived":)" + std::to_string(status.arrived) + R"(,"device":)" +
           quoted(status.device) + R"(,"status":)" + quoted(status.status) + "}}\n";
}

std::string line_of(const Violation& violation) {
    return R"({"violation":{"arrived":)" + std::to_string(violation.arrived) + R"(,"text":)" +
           quoted(violation.text) + "}}\n";
}

template <class T>
void print(std::FILE* out, const std::vector<T>& news, std::size_t& printed) {
    for (const T& one : news) std::fputs(line_of(one).c_str(), out);
    printed += news.size();
}

int refuse(const std::string& what) {
    std::fprintf(stderr, "fieldgate-platform: %s\n%s", what.c_str(), usage);
    return 2;
}

int serve(Platform::Settings settings, std::FILE* out) {
    Platform platform(std::move(settings));
    std::fprintf(out, "{\"listening\":{\"endpoint\":%s,\"certificate_endpoint\":%s,\"ca\":%s}}\n",
                 quoted(platform.endpoint()).c_str(),
                 quoted(platform.certificate_endpoint()).c_str(), quoted(platform.ca()).c_str());
    std::size_t records = 0;
    std::size_t statuses = 0;
    std::size_t violations = 0;
    for (bool last = false; !last;) {
        last = stopping != 0;  // and one more round, for what came meanwhile
        print(out, platform.records(records), records);
        print(out, platform.statuses(statuses), statuses);
        print(out, platform.violations(violations), violations);
        std::fflush(out);
        wait_until([] { return stopping != 0; }, milliseconds(100));
    }
    return violations == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
    std::map<std::string, std::string> given;
    Platform::Settings settings;
    for (int i = 1; i < count; i += 2) {
        const std::string key = arguments[i];
        if (i + 1 >= count) return refuse(key + " needs a value");
        const std::string value = arguments[i + 1];
        const std::size_t equals = value.find('=');
        if (key != "--product") {
            given[key] = value;
            continue;
        }
        if (equals == std::string::npos) return refuse("--product ID=FOLDER");
        Result<Product> product = Product::read(value.substr(equals + 1));
        if (!product) return refuse(product.error().what);
        settings.rules.products.emplace(value.substr(0, equals), *std::move(product));
    }
    settings.devices = read_devices(given["--devices"]);
    if (settings.devices.empty()) return refuse("no devices");
    settings.port = static_cast<std::uint16_t>(std::strtoul(given["--port"].c_str(), nullptr, 10));
    settings.folder = given["--folder"];
    if (given.count("--lanes") > 0)
        settings.rules.lanes = std::strtoul(given["--lanes"].c_str(), nullptr, 10);
    std::FILE* out = given["--out"].empty() ? stdout : std::fopen(given["--out"].c_str(), "w");
    if (out == nullptr) return refuse("cannot write " + given["--out"]);
    std::signal(SIGINT, [](int) { stopping = 1; });
    std::signal(SIGTERM, [](int) { stopping = 1; });
    return serve(std::move(settings), out);
}
