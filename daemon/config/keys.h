#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace fieldgate::config {

/// Every map of the configuration whose keys are ours; Fields takes no others.
enum class Keys : std::uint8_t {
    main,
    included,
    platform,
    auth,
    limits,
    reconnect,
    fallback,
    provisioning,
    gateway,
    store,
    clock,
    remote,
    local,
    bus,
    rs485,
    rs485_kernel,
    device,
    offline,
    device_template,
    defaults,
    point,
    self_point,
    report,
    write,
    cloud_loss,
    command,
};

/// The keys that one of them may have.
struct KnownKeys {
    Keys map;
    /// Where it stands, such as "platform.limits"; of what stands in several places the last name.
    const char* path;
    std::vector<std::string> keys;
};

/// All of them: what is not in this list is an error in a file. Whoever adds one says in
/// tests/daemon/site/every_key_test.cpp what a reload makes of its change.
const std::vector<KnownKeys>& known_keys();
const std::vector<std::string>& known_keys(Keys map);

}  // namespace fieldgate::config
