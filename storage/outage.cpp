#include "storage/outage.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/json.h"
#include "base/json_writer.h"
#include "storage/row.h"
#include "storage/whole_file.h"

namespace fieldgate::storage {
namespace {

// Of as many devices as there may be.
constexpr json::Limits outage_limits{std::size_t{64} << 20, 4};

std::uint32_t outage_checksum(const std::string& line) { return name_checksum("outage", line); }

// {"elapsed":345,"done":["DEVICE/service/property"]}
std::string line_of(const Outage& outage) {
    std::string line;
    json::Writer out(line);
    out.open_object().member("elapsed", outage.elapsed.count()).key("done").open_array();
    for (const std::string& name : outage.done) out.value(name);
    out.close_array().close_object();
    return line;
}

}  // namespace

Outage read_outage(const std::string& file) {
    std::ifstream in(file);
    std::string line;
    std::string sum;
    if (!std::getline(in, line) || !std::getline(in, sum)) return {};
    if (sum != std::to_string(outage_checksum(line))) return {};
    const Result<json::Value> kept = json::parse(line, outage_limits);
    const json::Value* elapsed = kept ? kept->get("elapsed") : nullptr;
    const json::Value* done = kept ? kept->get("done") : nullptr;
    if (!elapsed || !elapsed->integer() || !done || !done->array()) return {};
    Outage outage;
    outage.elapsed = std::chrono::seconds(*elapsed->integer());
    for (const json::Value& name : *done->array())
        if (name.string()) outage.done.insert(*name.string());
    return outage;
}

void keep_outage(const std::string& file, const Outage& outage) {
    std::error_code ignored;
    if (outage == Outage()) {
        std::filesystem::remove(file, ignored);
        return;
    }
    const std::string line = line_of(outage);
    (void)write_whole_file(file, line + '\n' + std::to_string(outage_checksum(line)) + '\n');
}

}  // namespace fieldgate::storage
