#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/control_job.h"
#include "storage/database.h"

namespace fieldgate::storage {

/// The file `control.db` on the worker: every call blocks. Errors: those of Database.
///
/// Another process may read it meanwhile (`fieldgate audit`): unlike the outbox, its WAL index is
/// shared memory. Its clock of uptime counts only while a process has the file open: it never runs
/// ahead of true time, whatever the system clock says.
class ControlDisk {
public:
    static constexpr const char* file_name = "control.db";
    /// Ten thousand rows of ledger and of audit, answers and roster at their longest, and free
    /// pages.
    static constexpr std::uint64_t pages_max = (96UL << 20) / Database::page_bytes;

    /// `life` names this process in the ledger.
    ControlDisk(std::string folder, std::int64_t life) : folder_(std::move(folder)), life_(life) {}

    /// Opens, or opens anew after an error. What can be read of the ledger and roster of a file
    /// that is damaged goes to a new one, whose audit begins with a row that says so; when it is
    /// complete it takes the place of the damaged one, which is kept (`control.bad-<n>`). If not
    /// all can be read it is an error (bad_data) at first: a disk may fail for a moment.
    Result<ControlStock> open();
    /// After an error other than out_of_range and busy the disk has to be opened anew.
    Result<void> commit(const std::vector<ControlJob>& jobs);
    Result<void> read(const std::function<Result<void>(Database&)>& query);
    void close();

private:
    std::string file() const { return folder_ + "/" + file_name; }
    std::chrono::milliseconds uptime() const;
    Result<void> make_new();
    Result<void> open_file();
    Result<ControlStock> open_once();
    Result<ControlStock> replace();
    Result<ControlStock> take_stock();
    Result<void> heal(ControlStock& stock);
    Result<void> write(const std::vector<ControlJob>& jobs);
    Result<void> save_figures(std::chrono::milliseconds now);

    std::string folder_;
    std::int64_t life_;
    Database database_;
    std::chrono::milliseconds uptime_before_{0};  // when it was opened
    std::chrono::steady_clock::time_point opened_;
    int rescues_ = 0;         // that could not read all
    std::uint64_t room_ = 0;  // jobs that may add a row before the ledger has to forget
};

}  // namespace fieldgate::storage
