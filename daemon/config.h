#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/exit.h"
#include "daemon/problem.h"
#include "daemon/settings.h"
#include "model/point.h"
#include "model/product_model.h"
#include "northbound/settings.h"
#include "southbound/settings.h"
#include "storage/settings.h"

namespace fieldgate {

/// What a template of protocol `self` can report (conf/templates/gateway.yaml).
enum class SelfValue : std::uint8_t {
    uptime,
    outbox_accepted,
    outbox_acknowledged,
    outbox_pending,
    outbox_evicted,
    outbox_quarantined,
    devices_online,
    devices_offline,
    buses_up,
    wire_errors,
    reconnects,
    store_bytes,
    clock_quality,
    version,
    config_hash,
};

/// One kind of device: its points, where they lie, and what the platform calls them.
struct Template {
    enum class Protocol : std::uint8_t { modbus, self };
    std::string name;
    std::string product_id;  ///< Empty for `self`, unless given.
    Protocol protocol = Protocol::modbus;
    std::chrono::milliseconds every{1000};  ///< defaults.every (self: every)
    std::shared_ptr<const std::vector<Point>> points;
    std::shared_ptr<const southbound::modbus::RegisterMap>
        registers;                       ///< modbus; parallel to points.
    std::vector<SelfValue> self_values;  ///< self; parallel to points.
    std::vector<CommandRule> commands;
    std::shared_ptr<const ProductModel> model;  ///< Absent if the template names none.
};

/// One device of the site; a range of units has become one each.
struct DeviceConfig {
    std::string name;
    std::string device_id;  ///< On the platform.
    std::string node_id;    ///< Empty if device_id was given instead.
    std::uint8_t unit = 1;
    std::size_t bus = 0;                             ///< Index in Config::buses.
    std::size_t device_template = 0;                 ///< Index in Config::templates.
    std::optional<std::chrono::milliseconds> every;  ///< Replaces the template's defaults.every.
    southbound::OfflinePolicy offline;
};

/// A whole site, checked: every reference is resolved, every value is in range.
struct Config {
    northbound::PlatformSettings platform;
    std::optional<std::size_t> gateway_template;  ///< Index in `templates`, protocol self.
    storage::Settings store;
    bool require_sync = false;
    RemoteSettings remote;
    LocalSettings local;
    std::vector<southbound::BusSettings> buses;
    std::vector<Template> templates;
    std::vector<DeviceConfig> devices;
    /// What is switched on and valid, but not in this version: the paths ("remote.tunnel"), for one
    /// warning each.
    std::vector<std::string> not_yet;
    /// Names of the credentials that came from $CREDENTIALS_DIRECTORY: what systemd has put there
    /// at the start stays there until the next.
    std::set<std::string> loaded_by_systemd;
    /// SHA-256 (hex) of what the files mean to a reader: their bytes, in the order they were read.
    std::string hash;
    /// What was read, by absolute path, without secrets.
    std::shared_ptr<const std::map<std::string, std::string>> files;
};

/// The period of one point on one device: the point's own, else the device's, else the template's.
std::chrono::milliseconds period(const Template& tmpl, const DeviceConfig& device,
                                 std::size_t point);

/// The devices of one bus, as southbound wants them; their index is their position in `config`.
std::vector<southbound::DeviceSettings> devices_of(const Config& config, std::size_t bus);

struct LoadedConfig {
    std::optional<Config> config;  ///< Absent if there is an error among `problems`.
    // As far as they could be read, whatever is wrong elsewhere.
    LocalSettings local;
    RemoteSettings remote;
    std::string store_path;
    std::vector<Problem> problems;
    /// Without a config: something could not be read for a reason that may pass; look again.
    bool may_pass = false;
    bool ok() const { return config.has_value(); }
};

/// This version can go there: mqtts:// and mqtt://.
bool has_a_road(const northbound::PlatformSettings& platform);
inline constexpr const char* no_road =
    "no road to the platform: this version speaks mqtts:// and mqtt:// only";

/// How a command ends that got this.
Exit exit_of(const LoadedConfig& loaded);

/// Reads the main file and everything it names; reports *all* problems of all files in one run.
LoadedConfig load_config(const std::string& main_file);
/// The same, with what lies in `kept` in place of what lies in the main file's folder; secrets are
/// read where they are.
LoadedConfig load_kept_config(const std::string& main_file, const std::string& kept);

}  // namespace fieldgate
