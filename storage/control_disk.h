#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/control_job.h"
#include "storage/database.h"
#include "storage/unnoted.h"

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
    ControlDisk(std::string folder, std::int64_t life)
        : folder_(std::move(folder)), life_(life), unnoted_(folder_) {}

    /// open_sound(), and rescue() if the file is damaged.
    Result<ControlStock> open();
    /// Opens, or opens anew after an error. bad_data, unsupported: it is damaged.
    Result<ControlStock> open_sound();
    /// After open_sound() has found it damaged. What can be read of the ledger and roster of a file
    /// that is damaged goes to a new one, whose audit begins with a row that says so; when it is
    /// complete it takes the place of the damaged one, which is kept (`control.bad-<n>`). If not
    /// all can be read it is an error (bad_data) at first: a disk may fail for a moment.
    Result<ControlStock> rescue();
    static bool is_damage(const Result<ControlStock>& stock);
    /// After an error other than out_of_range and busy the disk has to be opened anew.
    /// `unnoted`: something was told on the strength of unnoted_allowed().
    Result<void> commit(const std::vector<ControlJob>& jobs, bool unnoted = false);
    Result<void> read(const std::function<Result<void>(Database&)>& query);
    void close();

    /// What is refused from now on without a note may be told until the next commit(): the next
    /// life knows that there is such. So it is after every error of the disk that leaves that
    /// possible, and after this.
    void allow_unnoted() { static_cast<void>(unnoted_.make()); }
    bool unnoted_allowed() const { return unnoted_.holds(); }
    /// A commit is due that takes that word into the database.
    bool has_unnoted() const { return unnoted_.there(); }

private:
    std::string file() const { return folder_ + "/" + file_name; }
    std::chrono::milliseconds uptime() const;
    Result<void> make_new();
    Result<void> open_file();
    Result<ControlStock> open_once();
    Result<ControlStock> replace();
    Result<ControlStock> take_stock();
    Result<void> heal(ControlStock& stock);
    Result<void> write(const std::vector<ControlJob>& jobs, bool unnoted);
    Result<void> take_over_unnoted(std::chrono::milliseconds now);
    Result<void> save_figures(std::chrono::milliseconds now);

    std::string folder_;
    std::int64_t life_;
    Unnoted unnoted_;
    Database database_;
    std::chrono::milliseconds uptime_before_{0};  // when it was opened
    std::chrono::steady_clock::time_point opened_;
    int rescues_ = 0;         // that could not read all
    std::uint64_t room_ = 0;  // jobs that may add a row before the ledger has to forget
};

}  // namespace fieldgate::storage
