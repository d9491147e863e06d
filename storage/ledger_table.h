#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace fieldgate::storage {

class Database;

/// What the ledger knows of a request.
struct LedgerEntry {
    enum class State : std::uint8_t {
        fresh,      ///< Never seen; it is noted now, durably: act, then finish().
        under_way,  ///< A copy: the first is being executed right now, its flow will answer.
        finished,   ///< A copy: send `answer` again, touch nothing.
        unknown,    ///< Begun in an earlier life and never finished: nobody knows; never repeat it.
        different,  ///< This request id stood for something else: refuse.
        doubtful,   ///< As fresh, but an earlier life may have refused it (Ledger::mark): refuse.
    };
    State state = State::fresh;
    std::string answer;
};

/// One that was answered, or that an earlier life has begun.
struct LedgerNote {
    std::string id;
    std::string digest;  ///< Empty: nobody knows it any more.
    std::string answer;  ///< Empty: nobody knows how it ended.
};

/// The ledger's rows. Inside a transaction, on the worker. `now` is on the store's clock of uptime;
/// `life` names the process. Errors: those of Database.
class LedgerTable {
public:
    static constexpr std::uint64_t rows_max = 10'000;
    static constexpr std::uint64_t answers_bytes_max = 8UL << 20;
    static constexpr std::chrono::hours kept{24};
    /// The platform sends a message again within this time (protocol reference 1.6: 3 x 2 s, and
    /// when the device comes online 5 x 10 s), as long as it has not expired.
    static constexpr std::chrono::seconds copies_within{90};

    /// So long after a mark() what was refused without a note may be told.
    static constexpr std::chrono::seconds mark_holds{30};

    LedgerTable(Database& database, std::int64_t life) : database_(database), life_(life) {}

    /// Notes the request if it is new. A row that this life has begun and not finished is taken for
    /// new: its commit had failed, so nobody acted on it.
    Result<LedgerEntry> begin(std::string_view id, std::string_view digest,
                              std::chrono::milliseconds now);
    Result<void> finish(std::string_view id, std::string_view digest, std::string_view answer,
                        std::chrono::milliseconds now);
    /// Makes room for `more` rows: those older than 24 h of uptime go, then of those beyond 10,000
    /// the oldest finished ones, then the oldest unknown ones; never what is under way.
    Result<void> forget(std::chrono::milliseconds now, std::uint64_t more);

    /// The newest `rows` that are finished, or that other lives have begun; the oldest first.
    Result<std::vector<LedgerNote>> recent(std::uint64_t rows);

    /// See Ledger::mark().
    Result<void> mark(std::chrono::milliseconds until);
    /// Until when copies of what other lives have refused without a note may come; 0: none.
    Result<std::chrono::milliseconds> doubtful_until();

    /// Rows whose check sum is wrong become unknown (with any digest): better refused than
    /// repeated. Returns how many; at open.
    Result<std::uint64_t> heal();
    /// When the newest row was begun; 0: none.
    Result<std::chrono::milliseconds> newest();

private:
    Result<std::uint64_t> remove(std::string_view sql, std::int64_t parameter);

    Database& database_;
    std::int64_t life_;
};

}  // namespace fieldgate::storage
