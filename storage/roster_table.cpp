#include "storage/roster_table.h"

#include "storage/database.h"
#include "storage/fields.h"
#include "storage/figures.h"

namespace fieldgate::storage {
namespace {

constexpr std::string_view version_name = "roster_version";

SubDevice device_of(const Statement& select) {
    SubDevice device;
    device.device_id = select.bytes(0);
    device.node_id = select.bytes(1);
    device.product_id = select.bytes(2);
    device.name = select.bytes(3);
    device.extension_info = select.bytes(4);
    device.parent_id = select.bytes(5);
    device.unserved = select.bytes(6);
    return device;
}

std::int64_t crc_of(const SubDevice& device) {
    Fields fields;
    fields.add(device.device_id).add(device.node_id).add(device.product_id).add(device.name);
    fields.add(device.extension_info).add(device.parent_id).add(device.unserved);
    return fields.crc();
}

// The rows that are what they were, and the ids of those that are not. Errors: where it broke.
struct Readable {
    std::map<std::string, SubDevice> devices;
    std::vector<std::string> bad;
};

Result<void> read(Database& database, std::string_view order, Readable& readable) {
    Result<Statement> select = database.prepare(
        "SELECT device_id, node_id, product_id, name, extension_info, parent_id, unserved, crc"
        " FROM roster ORDER BY device_id " +
        std::string(order));
    if (!select) return select.error();
    for (;;) {
        const Result<bool> more = select->step();
        if (!more) return more.error();
        if (!*more) return {};
        SubDevice device = device_of(*select);
        if (select->integer(7) == crc_of(device))
            readable.devices[device.device_id] = std::move(device);
        else
            readable.bad.push_back(device.device_id);
    }
}

}  // namespace

Result<void> RosterTable::save(const SubDevice& device) {
    Result<Statement> put = database_.prepare(
        "INSERT OR REPLACE INTO roster(device_id, node_id, product_id, name, extension_info,"
        " parent_id, unserved, crc) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    if (!put) return put.error();
    put->bind(1, device.device_id).bind(2, device.node_id).bind(3, device.product_id);
    put->bind(4, device.name).bind(5, device.extension_info).bind(6, device.parent_id);
    return put->bind(7, device.unserved).bind(8, crc_of(device)).run();
}

Result<void> RosterTable::erase(std::string_view device_id) {
    Result<Statement> remove = database_.prepare("DELETE FROM roster WHERE device_id = ?1");
    if (!remove) return remove.error();
    return remove->bind(1, device_id).run();
}

// An add and a delete of one synchronisation may carry the same version (protocol reference 4.3).
Result<bool> RosterTable::apply(const RosterChange& change) {
    const Result<std::optional<std::int64_t>> stored = load_figure(database_, version_name);
    if (!stored) return stored.error();
    if (change.version < stored->value_or(0)) return false;
    Result<void> done = save_figure(database_, version_name, change.version);
    for (auto device = change.added.begin(); done && device != change.added.end(); ++device)
        done = save(*device);
    for (auto id = change.removed.begin(); done && id != change.removed.end(); ++id)
        done = erase(*id);
    if (!done) return done.error();
    return true;
}

Result<RosterContent> RosterTable::load() {
    Readable readable;
    const Result<void> all = read(database_, "ASC", readable);
    if (!all) return all.error();
    const Result<std::optional<std::int64_t>> version = load_figure(database_, version_name);
    if (!version) return version.error();
    RosterContent content;
    content.version = version->value_or(0);
    content.devices = std::move(readable.devices);
    return content;
}

Result<std::uint64_t> RosterTable::heal() {
    Readable readable;
    Result<void> done = read(database_, "ASC", readable);
    if (!done) return done.error();
    if (readable.bad.empty()) return 0;
    for (const std::string& device_id : readable.bad) {
        done = erase(device_id);
        if (!done) return done.error();
    }
    done = save_figure(database_, version_name, 0);
    if (!done) return done.error();
    return readable.bad.size();
}

Result<bool> RosterTable::rescue(Database& damaged) {
    Readable readable;
    // Forward until it breaks, then backward until it breaks.
    const bool whole = read(damaged, "ASC", readable).has_value();
    if (!whole) static_cast<void>(read(damaged, "DESC", readable));
    for (const auto& [id, device] : readable.devices) {
        const Result<void> saved = save(device);
        if (!saved) return saved.error();
    }
    return whole && readable.bad.empty();
}

}  // namespace fieldgate::storage
