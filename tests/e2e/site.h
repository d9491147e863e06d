#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "tests/e2e/witness.h"
#include "tests/lab/platform/platform.h"
#include "tests/lab/process.h"

namespace fieldgate::e2e {

/// One gateway as a user has it: the program, its configuration in a folder, a field of witnesses
/// below and a platform above. Every device is read as fast as `every` says and every reading is
/// reported.
class Site {
public:
    struct Settings {
        int units = 10;
        std::string every = "100ms";
        std::string platform_more;                 ///< more lines of `platform:`, indented by two
        std::string auth_more;                     ///< more members of `auth: {…}`, after a comma
        std::string more;                          ///< more keys of the main file
        std::map<std::string, std::string> files;  ///< more files of the site, by name
        std::string local_more;            ///< more members of `local: {…}`, with a leading comma
        std::string store_more;            ///< more members of `store: {…}`, with a leading comma
        std::string endpoint;              ///< instead of the lab's platform
        std::size_t lanes = 2;             ///< lab::Rules::lanes
        std::vector<std::string> wrapper;  ///< words before the program, e.g. strace
        std::vector<std::string> environment;  ///< of the gateway
        /// lab::Platform::Settings::clock_off
        std::chrono::milliseconds platform_clock_off{0};
    };
    static constexpr const char* gateway_id = "e2e_GW";
    static constexpr const char* secret = "e2e-secret-of-the-gateway";

    explicit Site(Settings settings);
    Site() : Site(Settings()) {}

    void start();
    /// SIGTERM; the exit code, nullopt if it took longer than 10 s.
    std::optional<int> stop() { return gateway_->stop(); }
    void kill() { gateway_->kill(); }
    lab::Child& gateway() { return *gateway_; }
    lab::Platform& platform() { return *platform_; }
    Witness& witness() { return witness_; }
    const std::filesystem::path& folder() const { return dir_.path(); }
    std::string log() const { return lab::read_file(dir_ / "gateway.log"); }
    lab::Finished command(std::vector<std::string> words) const;

    /// `fieldgate status --json`; nullopt while nobody answers.
    std::optional<json::Value> status() const;
    /// accepted - acknowledged - pending - evicted - quarantined; 0, or the books are wrong.
    std::int64_t imbalance() const;
    std::int64_t book(const std::string& name) const;

    /// What every unit said, and arrived: numbers by unit.
    std::map<std::uint8_t, std::set<std::uint32_t>> arrived() const;
    /// Numbers said before `until_ms` (and after `from_ms`) that have not arrived.
    std::size_t missing(std::int64_t from_ms, std::int64_t until_ms) const;
    /// Records whose number and scrambled number do not belong together, or were never said.
    std::size_t wrong() const;

    static std::int64_t now_ms();
    static std::string device_id(int unit) { return "e2e_D" + std::to_string(unit); }

private:
    void write_configuration();

    Settings settings_;
    lab::TempDir dir_;
    Witness witness_;
    std::unique_ptr<lab::Platform> platform_;
    std::optional<lab::Child> gateway_;
};

}  // namespace fieldgate::e2e
