#include "storage/roster.h"

#include <memory>
#include <set>
#include <utility>

namespace fieldgate::storage {
namespace {

std::size_t bytes_of(const SubDevice& device) {
    return device.device_id.size() + device.node_id.size() + device.product_id.size() +
           device.name.size() + device.extension_info.size() + device.parent_id.size() +
           device.unserved.size();
}

}  // namespace

std::vector<SubDevice> Roster::all() const {
    std::vector<SubDevice> devices;
    devices.reserve(content_.devices.size());
    for (const auto& [id, device] : content_.devices) devices.push_back(device);
    return devices;
}

void Roster::adopt(const RosterContent& content) {
    content_ = content;
    known_ = true;
}

Result<void> Roster::fits(const std::vector<SubDevice>& devices) const {
    std::set<std::string> added;
    for (const SubDevice& device : devices) {
        if (bytes_of(device) > device_bytes_max)
            return Error(Errc::out_of_range, device.device_id + ": more than 3 KiB of text");
        if (!content_.devices.contains(device.device_id)) added.insert(device.device_id);
    }
    if (content_.devices.size() + added.size() > devices_max)
        return Error(Errc::out_of_range, "more than 5000 sub-devices");
    return {};
}

asio::awaitable<Result<Roster::Applied>> Roster::apply_add(std::int64_t version,
                                                           std::vector<SubDevice> devices) {
    const Result<void> fitting = fits(devices);
    if (!fitting) co_return fitting.error();
    RosterChange change;
    change.version = version;
    change.added = std::move(devices);
    co_return co_await apply(std::move(change));
}

asio::awaitable<Result<Roster::Applied>> Roster::apply_delete(std::int64_t version,
                                                              std::vector<std::string> device_ids) {
    RosterChange change;
    change.version = version;
    change.removed = std::move(device_ids);
    co_return co_await apply(std::move(change));
}

asio::awaitable<Result<Roster::Applied>> Roster::apply(RosterChange change) {
    struct Change {
        RosterChange what;
        bool taken = false;
    };
    const auto shared = std::make_shared<Change>();
    shared->what = std::move(change);
    ControlJob job;
    job.write = [shared](Database& database, std::chrono::milliseconds) {
        const Result<bool> taken = RosterTable(database).apply(shared->what);
        if (!taken) return Result<void>(taken.error());
        shared->taken = *taken;
        return Result<void>();
    };
    // Here, not below: the caller may have been cancelled by then.
    job.settled = [this, shared](const Result<void>& done) {
        if (!done || !shared->taken) return;
        content_.version = shared->what.version;
        for (const SubDevice& device : shared->what.added)
            content_.devices[device.device_id] = device;
        for (const std::string& id : shared->what.removed) content_.devices.erase(id);
    };
    const Result<void> done = co_await commits_.written(std::move(job));
    if (!done) co_return done.error();
    co_return shared->taken ? Applied::applied : Applied::stale;
}

}  // namespace fieldgate::storage
