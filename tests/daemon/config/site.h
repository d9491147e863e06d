#pragma once
#include <string>
#include <vector>

#include "daemon/config.h"

namespace fieldgate::test {

/// The example site, copied to a folder of its own, which goes with it. Credentials are made 0600.
class Site {
public:
    Site();
    ~Site();
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    std::string path(const std::string& file) const { return folder_ + '/' + file; }
    std::string text(const std::string& file) const;
    void write(const std::string& file, const std::string& text) const;
    /// Replaces the first `from` of a file, which must be there.
    void replace(const std::string& file, const std::string& from, const std::string& to) const;

    LoadedConfig load() const { return load_config(path("fieldgate.yaml")); }
    /// Problems of severity error only.
    std::vector<Problem> errors() const;

private:
    std::string folder_;
};

/// All problems, described, for a failing test.
std::string all(const std::vector<Problem>& problems);
bool contains(const std::string& text, const std::string& part);

}  // namespace fieldgate::test
