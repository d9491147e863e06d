#include "storage/names_file.h"

#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/json.h"
#include "base/json_writer.h"
#include "storage/row.h"
#include "storage/whole_file.h"

namespace fieldgate::storage {
namespace {

constexpr json::Limits limits{std::size_t{64} << 20, 3};

std::string checksum(const std::string& line) {
    return std::to_string(name_checksum("names", line));
}

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
    std::ifstream in(file);
    std::string line;
    std::string sum;
    if (!std::getline(in, line) || !std::getline(in, sum) || sum != checksum(line)) return {};
    const Result<json::Value> kept = json::parse(line, limits);
    if (!kept || !kept->array()) return {};
    std::set<std::string> names;
    for (const json::Value& name : *kept->array())
        if (name.string()) names.insert(*name.string());
    return names;
}

void keep_names(const std::string& file, const std::set<std::string>& names) {
    std::error_code ignored;
    if (names.empty()) {
        std::filesystem::remove(file, ignored);
        return;
    }
    const std::string line = line_of(names);
    (void)write_whole_file(file, line + '\n' + checksum(line) + '\n');
}

}  // namespace fieldgate::storage
