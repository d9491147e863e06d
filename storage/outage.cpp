#include "storage/outage.h"

#include <charconv>

#include "base/json.h"
#include "base/json_writer.h"
#include "storage/whole_file.h"

namespace fieldgate::storage {
namespace {

// Of as many devices as there may be.
constexpr json::Limits outage_limits{std::size_t{64} << 20, 4};

constexpr const char* outage_kind = "outage";

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
    const Result<json::Value> kept =
        json::parse(read_checked_line(file, outage_kind), outage_limits);
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
    keep_checked_line(file, outage_kind, outage == Outage() ? std::string() : line_of(outage));
}

}  // namespace fieldgate::storage
