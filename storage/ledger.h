#pragma once
#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "storage/commits.h"
#include "storage/ledger_table.h"

namespace fieldgate::storage {

/// The commands that were executed, so that each acts once: a valve is not a database row.
///
/// Kept for 24 h of uptime (never less of true time, whatever the system clock says; a time
/// switched off does not count), at most 10,000 of them and 8 MiB of answers; beyond that the
/// oldest finished ones are forgotten first. 10,000 are 17 minutes at the ten a second that the
/// gate lets in at most; the platform sends copies within 90 s. Runs on the loop.
///
/// One key space: put the kind before the id ("command/<request id>"). It does for messages that
/// are to be handed on once, too: begin("message/<id>", digest); fresh: hand it on, then finish it
/// with an empty answer; anything else: a copy.
class Ledger {
public:
    using Entry = LedgerEntry;
    static constexpr std::size_t id_bytes_max = 320;            ///< the platform's 256, and a kind
    static constexpr std::size_t answer_bytes_max = 64 * 1024;  ///< what one publish may carry
    static constexpr std::size_t under_way_max = LedgerTable::rows_max;
    static constexpr std::size_t notes_max = 1000;

    explicit Ledger(Commits& commits, std::int64_t life) : commits_(commits), life_(life) {}

    /// What is known of the request. `fresh` is durable before this returns, and the caller owes a
    /// finish(), also for what it then refuses; so is `doubtful`, which must not act. On an error
    /// it must not act: busy (the store is not open, or too many are under way), out_of_range (the
    /// id is too long), and those of Database.
    ///
    /// `digest`: of the payload, not empty; the same id with another one is `different`.
    asio::awaitable<Result<Entry>> begin(std::string request_id, std::string digest);

    /// What is refused without a note, since there may be floods of it, is known to this life
    /// alone. mark() lets the disk know that there is such, until when: only then may it be told
    /// (marked()). The next life takes what it does not know for a copy of it until copies can come
    /// no more
    /// (`doubtful`). Nothing happens if one is under way, or holds for long enough; a flood costs
    /// two commits a minute. While the store is not open or fails, a file beside it stands for the
    /// mark (unnoted.h). To be called for each refusal; `settled` is told whether it may be told
    /// now.
    bool marked() const { return commits_.unnoted_allowed() || Clock::now() < marked_until_; }
    void mark(std::function<void(bool)> settled);

    /// What was refused because it could not be noted: it is noted when that is possible again, so
    /// that the next life refuses it too. Beyond 1,000 that wait they are let go.
    void note_later(const std::string& request_id, std::string digest, std::string answer);

    /// What earlier lives have answered or begun last, once: to know copies without the disk.
    std::vector<LedgerNote> take_recent() { return std::exchange(recent_, {}); }
    /// What is found in the file; each time it is opened.
    void adopt(const ControlStock& stock);

    /// The outcome, durable before this returns; every copy gets `answer`. On an error of the disk
    /// this life still knows it and it is written as soon as that is possible: tell the platform.
    /// out_of_range: the answer is too long; finish with a shorter one.
    asio::awaitable<Result<void>> finish(std::string request_id, std::string answer);

    std::size_t under_way() const { return under_way_.size(); }

private:
    using Clock = std::chrono::steady_clock;
    struct UnderWay {
        std::string digest;
        std::optional<std::string> answer;  ///< finished, but not on disk
    };

    Result<Entry> known(const UnderWay& request, const std::string& digest) const;
    ControlJob finishing(const std::string& request_id, const UnderWay& request);
    void write_later(const std::string& request_id);

    Commits& commits_;
    std::int64_t life_;
    std::unordered_map<std::string, UnderWay> under_way_;
    std::vector<LedgerNote> recent_;
    std::chrono::milliseconds doubtful_until_{0};  // on the store's clock of uptime
    Clock::time_point marked_until_;
    bool marking_ = false;
};

}  // namespace fieldgate::storage
