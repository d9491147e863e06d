#include "daemon/site/directory.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace fieldgate {

std::string in_quotes(std::string_view name) { return '"' + std::string(name.substr(0, 64)) + '"'; }

std::size_t Directory::Hash::operator()(const Named& named) const {
    const std::hash<std::string_view> hash;
    return hash(named.service) * 31 + hash(named.name);
}

Directory::Directory(const Config& config, std::vector<DeviceRef> devices, DeviceRef gateway)
    : config_(config),
      refs_(std::move(devices)),
      gateway_(gateway),
      points_(config.templates.size()) {
    for (std::size_t i = 0; i < config.devices.size(); ++i) {
        devices_.emplace(config.devices[i].device_id, refs_[i].index);
        positions_.emplace(refs_[i].index, i);
    }
    if (config.gateway_template) devices_.emplace("", gateway_.index);
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

std::optional<std::size_t> Directory::position(DeviceIndex device) const {
    const auto found = positions_.find(device);
    if (found == positions_.end()) return std::nullopt;
    return found->second;
}

const DeviceConfig* Directory::config_of(DeviceIndex device) const {
    const std::optional<std::size_t> place = position(device);
    return place ? &config_.devices[*place] : nullptr;
}

DeviceRef Directory::ref(DeviceIndex device) const {
    const std::optional<std::size_t> place = position(device);
    return place ? refs_[*place] : gateway_;
}

std::size_t Directory::template_index(DeviceIndex device) const {
    const DeviceConfig* const configured = config_of(device);
    return configured ? configured->device_template : config_.gateway_template.value();
}

std::optional<PointIndex> Directory::point(DeviceIndex device, Named property) const {
    const Points& points = points_[template_index(device)];
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
    return config_.templates[template_index(device)];
}

}  // namespace fieldgate
