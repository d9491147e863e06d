#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <set>
#include <string>

#include "base/worker.h"
#include "daemon/site/devices.h"
#include "model/device_table.h"

namespace fieldgate {

/// Which devices have left the site, and the platform was not told so yet: kept on disk, so that
/// they are told OFFLINE by a later life, too. Runs on the loop; the disk is asked on a worker, and
/// waited for by nobody.
class Farewells {
public:
    static constexpr const char* file_name = "farewells";

    /// `file`: of storage/names_file.h. `devices` and `table` must outlive it.
    Farewells(const asio::any_io_executor& loop, std::string file, Devices& devices,
              DeviceTable& table)
        : loop_(loop), file_(std::move(file)), devices_(devices), table_(table) {}

    /// Flow: what an earlier life owes, then what this one does. Has no pulse: a disk that hangs is
    /// the business of the stores.
    asio::awaitable<void> keep();
    /// After it: what is not on disk yet.
    asio::awaitable<void> keep_last();

private:
    asio::any_io_executor loop_;
    std::string file_;
    Devices& devices_;
    DeviceTable& table_;
    std::set<std::string> kept_;
    bool read_ = false;
    Worker worker_;
};

}  // namespace fieldgate
