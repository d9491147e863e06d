#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/config.h"
#include "model/reading.h"

namespace fieldgate {

/// A name that the platform sent, as it is told back to it: in quotes, 64 bytes of it at most.
std::string in_quotes(std::string_view name);

/// What names mean in one site, resolved once: device ids, services with their properties and
/// commands. `config` must outlive it.
class Directory {
public:
    /// `devices`: parallel to config.devices.
    Directory(const Config& config, std::vector<DeviceRef> devices, DeviceRef gateway);

    /// nullopt if this site has no device of that id. Empty: the gateway itself; nullopt if it has
    /// no template.
    std::optional<DeviceIndex> device(std::string_view device_id) const;
    /// The one at this position in config.devices.
    DeviceRef at(std::size_t position) const { return refs_[position]; }
    /// Its position there; nullopt: it is not in this site, or it is the gateway.
    std::optional<std::size_t> position(DeviceIndex device) const;
    /// What is configured of it; nullptr as above.
    const DeviceConfig* config_of(DeviceIndex device) const;

    // What follows is of devices that this site has, and of the gateway if it has a template.

    DeviceRef ref(DeviceIndex device) const;

    struct Named {
        std::string_view service;
        std::string_view name;
        bool operator==(const Named&) const = default;
    };
    std::optional<PointIndex> point(DeviceIndex device, Named property) const;
    /// nullptr if the device's template has no such command. The platform may leave the service
    /// out: then the name must be the only one of its kind.
    const CommandRule* command(DeviceIndex device, Named command) const;
    /// All points of `service`; of every service if it is empty.
    std::vector<PointIndex> points(DeviceIndex device, std::string_view service) const;

    const Template& template_of(DeviceIndex device) const;

private:
    struct Hash {
        std::size_t operator()(const Named& named) const;
    };
    using Points = std::unordered_map<Named, PointIndex, Hash>;

    std::size_t template_index(DeviceIndex device) const;

    const Config& config_;
    std::vector<DeviceRef> refs_;  // by position
    DeviceRef gateway_;
    std::unordered_map<std::string_view, DeviceIndex> devices_;
    std::unordered_map<DeviceIndex, std::size_t> positions_;
    std::vector<Points> points_;  // by template
};

}  // namespace fieldgate
