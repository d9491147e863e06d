#pragma once
#include <asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/commits.h"
#include "storage/roster_table.h"

namespace fieldgate::storage {

/// The sub-devices that the platform has added, and the version of that list (protocol reference
/// chapter 4). Runs on the loop.
class Roster {
public:
    static constexpr std::size_t devices_max = 5000;
    static constexpr std::size_t device_bytes_max = 3072;  ///< all texts of one device

    enum class Applied : std::uint8_t { applied, stale };

    explicit Roster(Commits& commits) : commits_(commits) {}

    /// False as long as the file could not be read: then the roster is empty because nobody knows
    /// it, and no synchronisation should be asked for.
    bool known() const { return known_; }
    /// Of the list; 0: none was ever seen, or it was lost: ask for the whole list.
    std::int64_t version() const { return content_.version; }
    /// By device_id.
    std::vector<SubDevice> all() const;

    /// Adds them, or replaces what is known of them: all of them and the version in one
    /// transaction, durable before this returns. A version older than the stored one changes
    /// nothing (stale); the same one is applied again, which also serves to note a new `unserved`.
    /// Errors: out_of_range (too many or too long, nothing is applied), and the disk's: nothing is
    /// applied, ask the platform again.
    asio::awaitable<Result<Applied>> apply_add(std::int64_t version,
                                               std::vector<SubDevice> devices);
    /// As apply_add(); ids that are not there are no error.
    asio::awaitable<Result<Applied>> apply_delete(std::int64_t version,
                                                  std::vector<std::string> device_ids);

    /// What the file holds, when it has been opened.
    void adopt(const RosterContent& content);

private:
    Result<void> fits(const std::vector<SubDevice>& devices) const;
    asio::awaitable<Result<Applied>> apply(RosterChange change);

    Commits& commits_;
    RosterContent content_;
    bool known_ = false;
};

}  // namespace fieldgate::storage
