#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/config.h"
#include "daemon/config/disk.h"
#include "daemon/config/document.h"
#include "daemon/config/fields.h"

namespace fieldgate::config {

/// A configuration on its way: what is known so far, where each name stands, and what is wrong.
struct Loading {
    explicit Loading(Disk files) : disk(files) {}

    Disk disk;
    Report report;
    Config config;
    std::vector<std::unique_ptr<Document>> documents;
    std::string hashed;  ///< The bytes of all files, in the order they were read.

    /// Name -> index in config.templates; nullopt: known, but wrong.
    std::map<std::string, std::optional<std::size_t>> templates;
    std::map<std::string, std::optional<std::size_t>> buses;
    /// A file that may have held some could not be read: no name is unknown for sure.
    bool templates_incomplete = false;
    bool buses_incomplete = false;
    std::map<std::string, Place> template_places;
    std::map<std::string, Place> bus_places;
    /// Every device that was read, also those with an error elsewhere.
    struct SeenDevice {
        std::string name;
        std::string device_id;  ///< Empty: not known.
        std::string bus;
        std::uint8_t unit = 0;
        Place place;
    };
    std::vector<SeenDevice> seen_devices;

    void not_yet(const Place& place) { config.not_yet.push_back(place.path); }
};

/// `place` with its file and line, for the hint of another problem.
std::string where(const Place& place);
/// `every:` of a device, a template or a point.
inline constexpr microseconds every_min = std::chrono::milliseconds(1);
inline constexpr microseconds every_max = std::chrono::days(31);
/// The file that a scalar names, relative to the file that names it; a problem if it is not there.
std::optional<std::string> read_existing_file(const Place& place, Loading& loading,
                                              bool secret = false);

// The parts of the main file.
void read_platform(const Place& place, bool endpoint_required, Loading& loading);
void read_provisioning(const Place& place, Loading& loading);
void read_store(const Place& place, Loading& loading);
void read_clock(const Place& place, Loading& loading);
void read_remote(const Place& place, Loading& loading);
void read_local(const Place& place, Loading& loading);

// The parts of the site. Templates and buses before devices.
void read_template(const Document& document, Loading& loading);
void read_buses(const Place& place, Loading& loading);
void read_devices(const Place& place, Loading& loading);
/// The gateway's own template; after the templates.
void read_gateway(const Place& place, Loading& loading);
/// Names and ids that stand twice, units that overlap; after all devices.
void check_devices(Loading& loading);
/// Periods that a bus cannot meet; when nothing is wrong.
void check_loads(Loading& loading);

}  // namespace fieldgate::config
