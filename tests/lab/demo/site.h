#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fieldgate::lab {

/// The folder a demo's gateway runs from: the example site of conf/ (its templates and product
/// models, unchanged) with addresses of this machine and a secret of its own.
class Site {
public:
    struct Settings {
        std::filesystem::path folder;
        std::filesystem::path conf;  ///< The source tree's conf/.
        std::string endpoint;
        std::filesystem::path ca;
        std::string secret;
        std::string serial;          ///< Where the meters are, units 1 to 3, at `baud`.
        std::uint16_t tcp_port = 0;  ///< Where the press is, `press_unit`.
    };
    static constexpr int baud = 9600;
    /// None of the meters': the plant's values go by the unit, so a mix-up would be seen.
    static constexpr int press_unit = 4;
    /// As the platform names them: PRODUCT_NODE.
    static constexpr const char* gateway = "64f0a1b2c3d4e5f607182930_GW-0001";
    static constexpr const char* product = "64f0a1b2c3d4e5f607182931";
    static std::vector<std::string> nodes() { return {"METER-1", "METER-2", "METER-3", "PRESS-1"}; }
    static std::string device(const std::string& node) { return std::string(product) + "_" + node; }

    /// Writes all files.
    explicit Site(const Settings& settings);
    std::filesystem::path file() const { return folder_ / "fieldgate.yaml"; }

private:
    std::filesystem::path folder_;
};

}  // namespace fieldgate::lab
