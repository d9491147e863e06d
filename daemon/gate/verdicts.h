#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "model/reading.h"
#include "northbound/request.h"
#include "storage/ledger_table.h"

namespace fieldgate {

/// What was told under which request id, in memory: the newest 5,120, none of them younger than the
/// time in which the platform sends copies. Reads have no verdict: their copies are read anew.
/// Pure.
class Verdicts {
public:
    static constexpr std::size_t max = 5120;
    /// Refusals leave room for what is done, at the ten a second that the gate lets in.
    static constexpr std::size_t refusals_max = max - 1024;
    static constexpr std::chrono::seconds kept = storage::LedgerTable::copies_within;
    /// Longer answers only the ledger keeps.
    static constexpr std::size_t answer_bytes_max = 1024;

    struct Verdict {
        std::string digest;                        ///< Empty: not known any more.
        std::optional<northbound::Answer> answer;  ///< nullopt: only the ledger has it.
        bool unnoted = false;                      ///< Nobody else knows it.
    };

    /// nullptr: not known, or not any more.
    const Verdict* find(const std::string& request_id) const;
    /// The first verdict of an id stays.
    void add(std::string request_id, Verdict verdict, Instant now);
    /// As add(). False, and it must not be told: it could not be kept as long as copies may come.
    bool add_refusal(const std::string& request_id, Verdict verdict, Instant now);

private:
    struct Told {
        Instant at;
        std::string request_id;
    };
    std::unordered_map<std::string, Verdict> verdicts_;
    std::deque<Told> told_;  // the oldest in front
};

}  // namespace fieldgate
