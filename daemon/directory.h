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

/// What the platform's names mean here, resolved once: device ids, services with their properties
/// and commands. `config` must outlive it.
class Directory {
public:
    explicit Directory(const Config& config);

    /// nullopt if this site has no device of that id. Empty: the gateway itself, which comes after
    /// all sub-devices; nullopt if it has no template.
    std::optional<DeviceIndex> device(std::string_view device_id) const;

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

    const Config& config_;
    std::unordered_map<std::string_view, DeviceIndex> devices_;
    std::vector<std::size_t> templates_;  // by device
    std::vector<Points> points_;          // by template
};

}  // namespace fieldgate
