#include "daemon/directory.h"

#include <algorithm>
#include <functional>

namespace fieldgate {

std::string in_quotes(std::string_view name) { return '"' + std::string(name.substr(0, 64)) + '"'; }

std::size_t Directory::Hash::operator()(const Named& named) const {
    const std::hash<std::string_view> hash;
    return hash(named.service) * 31 + hash(named.name);
}

Directory::Directory(const Config& config) : config_(config), points_(config.templates.size()) {
    for (const DeviceConfig& device : config.devices) {
        devices_.emplace(device.device_id, static_cast<DeviceIndex>(templates_.size()));
        templates_.push_back(device.device_template);
    }
    if (config.gateway_template) {
        devices_.emplace("", static_cast<DeviceIndex>(templates_.size()));
        templates_.push_back(*config.gateway_template);
    }
    for (std::size_t i = 0; i < config.templates.size(); ++i) {
        const std::vector<Point>& points = *config.templates[i].points;
        for (std::size_t j = 0; j < points.size(); ++j) {
            const Named name{points[j].service, points[j].property};
            points_[i].emplace(name, static_cast<PointIndex>(j));
        }
    }
}

std::optional<DeviceIndex> Directory::device(std::string_view device_id) const {
    const auto found = devices_.find(device_id);
    if (found == devices_.end()) return std::nullopt;
    return found->second;
}

std::optional<PointIndex> Directory::point(DeviceIndex device, Named property) const {
    const Points& points = points_[templates_[device]];
    const auto found = points.find(property);
    if (found == points.end()) return std::nullopt;
    return found->second;
}

const CommandRule* Directory::command(DeviceIndex device, Named command) const {
    const CommandRule* found = nullptr;
    for (const CommandRule& rule : template_of(device).commands) {
        const bool service = command.service.empty() || rule.service == command.service;
        if (!service || rule.command != command.name) continue;
        if (found) return nullptr;
        found = &rule;
    }
    return found;
}

std::vector<PointIndex> Directory::points(DeviceIndex device, std::string_view service) const {
    std::vector<PointIndex> found;
    const std::vector<Point>& points = *template_of(device).points;
    for (std::size_t i = 0; i < points.size(); ++i)
        if (service.empty() || points[i].service == service)
            found.push_back(static_cast<PointIndex>(i));
    return found;
}

const Template& Directory::template_of(DeviceIndex device) const {
    return config_.templates[templates_[device]];
}

}  // namespace fieldgate
