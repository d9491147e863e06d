#include "site.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace fieldgate::test {

namespace fs = std::filesystem;

Site::Site() {
    std::string pattern = (fs::temp_directory_path() / "fieldgate-config-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    fs::copy(FIELDGATE_CONF, folder_, fs::copy_options::recursive);
    fs::permissions(path("credentials/gateway"), fs::perms::owner_read | fs::perms::owner_write);
}

Site::~Site() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

std::string Site::text(const std::string& file) const {
    std::ifstream in(path(file), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void Site::write(const std::string& file, const std::string& text) const {
    fs::create_directories(fs::path(path(file)).parent_path());
    std::ofstream(path(file), std::ios::binary) << text;
}

void Site::replace(const std::string& file, const std::string& from, const std::string& to) const {
    std::string contents = text(file);
    const std::size_t at = contents.find(from);
    ASSERT_NE(at, std::string::npos) << file << " has no " << from;
    write(file, contents.replace(at, from.size(), to));
}

std::vector<Problem> Site::errors() const {
    std::vector<Problem> errors;
    for (const Problem& problem : load().problems) {
        if (problem.severity == Problem::Severity::error) errors.push_back(problem);
    }
    return errors;
}

std::string all(const std::vector<Problem>& problems) {
    std::string text;
    for (const Problem& problem : problems) text += describe(problem) + '\n';
    return text;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace fieldgate::test
