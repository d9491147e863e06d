#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <optional>
#include <string>

#include "base/event.h"
#include "base/worker.h"
#include "daemon/gate/cloud_loss.h"

namespace fieldgate {

struct Parts;

/// Sees to it that what is safe is written while the cloud is away: hands the orders of CloudLoss
/// to their lines, and keeps its memory on disk. Runs on the loop; the disk is asked on a worker,
/// and waited for by nobody.
class SafeWrites {
public:
    /// `file`: of storage/outage.h.
    SafeWrites(const asio::any_io_executor& loop, std::string file)
        : file_(std::move(file)), wake_(loop) {}

    void serve(const SitePtr& site);
    /// Something came of an order, or nothing was sent. False: as the last time.
    bool settled(const Order& order, bool sent, bool suspended);
    /// It was not begun, for whatever has nothing to do with its device.
    void not_taken(const Order& order);
    /// The platform can command us from now on; or not any more.
    void link(bool open);
    /// A device has come back.
    void online(DeviceIndex device);

    /// Flow: hands out what is due.
    asio::awaitable<void> write(Parts& parts);
    /// Flow: reads the memory of an earlier life, then keeps it up to date. Has no pulse: a disk
    /// that hangs is the business of the stores.
    asio::awaitable<void> remember();
    /// After both: what is not on disk yet.
    asio::awaitable<void> remember_last();

private:
    asio::awaitable<void> keep(storage::Outage outage);

    std::string file_;
    SitePtr site_;
    std::optional<CloudLoss> loss_;  // once the memory is read, or cannot be had in time
    std::optional<storage::Outage> memory_;
    Event wake_;
    Worker worker_;
};

}  // namespace fieldgate
