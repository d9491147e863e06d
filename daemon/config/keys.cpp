#include "daemon/config/keys.h"

#include <algorithm>

#include "base/expect.h"

namespace fieldgate::config {

const std::vector<KnownKeys>& known_keys() {
    static const std::vector<KnownKeys> all{
        {Keys::main,
         "",
         {"schema", "platform", "provisioning", "gateway", "store", "clock", "remote", "local",
          "include", "templates", "buses", "devices"}},
        {Keys::included, "included", {"buses", "devices"}},
        {Keys::platform,
         "platform",
         {"endpoint", "ca", "device_id", "auth", "keep_alive", "linger", "limits", "reconnect",
          "register", "topics", "fallback"}},
        {Keys::auth, "auth", {"secret", "timestamp", "certificate", "key"}},
        {Keys::limits,
         "platform.limits",
         {"messages", "bandwidth", "payload", "sub_devices", "history"}},
        {Keys::reconnect, "platform.reconnect", {"from", "to", "stable_after"}},
        {Keys::fallback, "platform.fallback", {"endpoint", "ca", "after"}},
        {Keys::provisioning, "provisioning", {"endpoint", "ca", "scope", "keyword", "auth"}},
        {Keys::gateway, "gateway", {"template"}},
        {Keys::store,
         "store",
         {"path", "max_size", "keep_free", "durability", "commit", "when_full"}},
        {Keys::clock, "clock", {"require_sync"}},
        {Keys::remote,
         "remote",
         {"hosts", "private_addresses", "ca", "signing_keys", "write", "manage_devices",
          "configure", "upgrade", "files", "operate", "logs", "tunnel", "restart"}},
        {Keys::local, "local", {"control", "web", "metrics"}},
        {Keys::bus,
         "buses.NAME",
         {"protocol", "serial", "line", "rs485", "tcp", "timeout", "turnaround", "retries",
          "connection"}},
        {Keys::rs485, "buses.NAME.rs485", {"kernel"}},
        {Keys::rs485_kernel, "buses.NAME.rs485.kernel", {"before", "after"}},
        {Keys::device,
         "devices[]",
         {"name", "unit", "template", "bus", "node_id", "device_id", "every", "offline"}},
        {Keys::offline, "devices[].offline", {"after", "probe"}},
        {Keys::device_template,
         "template",
         {"template", "product_id", "model", "protocol", "defaults", "every", "services",
          "commands"}},
        {Keys::defaults,
         "template.defaults",
         {"every", "order", "address_base", "max_registers", "min_registers", "forbidden", "gap",
          "report"}},
        {Keys::point,
         "point",
         {"at", "type", "bits", "length", "order", "trim", "scale", "offset", "absent", "values",
          "every", "report", "write", "priority", "unit", "begins_at", "read"}},
        {Keys::self_point, "own point", {"at", "every", "report", "priority", "unit"}},
        {Keys::report, "report", {"change", "min", "max"}},
        {Keys::write,
         "point.write",
         {"min", "max", "verify", "within", "tolerance", "mask", "on_cloud_loss", "from"}},
        {Keys::cloud_loss, "point.write.on_cloud_loss", {"after", "set"}},
        {Keys::command, "command", {"set", "from", "values"}},
    };
    return all;
}

const std::vector<std::string>& known_keys(Keys map) {
    const std::vector<KnownKeys>& all = known_keys();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const KnownKeys& known) { return known.map == map; });
    expect(found != all.end(), "every map of the configuration has its list of keys");
    return found->keys;
}

}  // namespace fieldgate::config
