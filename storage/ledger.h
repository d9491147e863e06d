#pragma once
#include <asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "storage/commits.h"
#include "storage/ledger_table.h"

namespace fieldgate::storage {

/// The commands that were executed, so that each acts once: a valve is not a database row.
///
/// Kept for 24 h of uptime (never less of true time, whatever the system clock says; a time
/// switched off does not count), at most 10,000 of them and 8 MiB of answers; beyond that the
/// oldest finished ones are forgotten first. Runs on the loop.
///
/// One key space: put the kind before the id ("command/<request id>"). It does for messages that
/// are to be handed on once, too: begin("message/<id>", digest); fresh: hand it on, then finish it
/// with an empty answer; anything else: a copy.
class Ledger {
public:
    using Entry = LedgerEntry;
    static constexpr std::size_t id_bytes_max = 256;
    static constexpr std::size_t answer_bytes_max = 64 * 1024;  ///< what one publish may carry
    static constexpr std::size_t under_way_max = LedgerTable::rows_max;

    explicit Ledger(Commits& commits, std::int64_t life) : commits_(commits), life_(life) {}

    /// What is known of the request. `fresh` is durable before this returns, and the caller owes a
    /// finish(), also for what it then refuses. On an error it must not act: busy (the store is not
    /// open, or too many are under way), out_of_range (the id is too long), and those of Database.
    ///
    /// `digest`: of the payload, not empty; the same id with another one is `different`.
    asio::awaitable<Result<Entry>> begin(std::string request_id, std::string digest);

    /// The outcome, durable before this returns; every copy gets `answer`. On an error of the disk
    /// this life still knows it and it is written as soon as that is possible: tell the platform.
    /// out_of_range: the answer is too long; finish with a shorter one.
    asio::awaitable<Result<void>> finish(std::string request_id, std::string answer);

    std::size_t under_way() const { return under_way_.size(); }

private:
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
};

}  // namespace fieldgate::storage
