#include "storage/names_file.h"

#include "base/json.h"
#include "base/json_writer.h"
#include "storage/whole_file.h"

namespace fieldgate::storage {
namespace {

constexpr json::Limits limits{std::size_t{64} << 20, 3};

constexpr const char* names_kind = "names";

// ["e2e_V1","e2e_V2"]
std::string line_of(const std::set<std::string>& names) {
    std::string line;
    json::Writer out(line);
    out.open_array();
    for (const std::string& name : names) out.value(name);
    out.close_array();
    return line;
}

}  // namespace

std::set<std::string> read_names(const std::string& file) {
    const Result<json::Value> kept = json::parse(read_checked_line(file, names_kind), limits);
    if (!kept || !kept->array()) return {};
    std::set<std::string> names;
    for (const json::Value& name : *kept->array())
        if (name.string()) names.insert(*name.string());
    return names;
}

void keep_names(const std::string& file, const std::set<std::string>& names) {
    keep_checked_line(file, names_kind, names.empty() ? std::string() : line_of(names));
}

}  // namespace fieldgate::storage
