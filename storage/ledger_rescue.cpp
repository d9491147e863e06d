#include "storage/ledger_rescue.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace fieldgate::storage {
namespace {

constexpr std::size_t id_bytes_max = 1024;  // more is no id

}  // namespace

void LedgerRescue::doubt(std::int64_t seq, std::string id) {
    if (!id.empty() && id.size() <= id_bytes_max && !rows_.contains(id))
        doubtful_[seq].insert(std::move(id));
}

void LedgerRescue::take(std::int64_t seq, LedgerRow row, bool sound) {
    if (!sound) return doubt(seq, std::move(row.id));
    const auto doubted = doubtful_.find(seq);
    if (doubted != doubtful_.end()) {
        doubted->second.erase(row.id);
        if (doubted->second.empty()) doubtful_.erase(doubted);
    }
    Placed placed{seq, std::move(row)};
    rows_.insert_or_assign(placed.row.id, placed);
}

// Of an id that was misread the right one is elsewhere in the file.
std::uint64_t LedgerRescue::requests() const {
    std::set<std::int64_t> places;
    for (const auto& [id, placed] : rows_) places.insert(placed.seq);
    std::uint64_t found = rows_.size();
    for (const auto& [seq, ids] : doubtful_)
        if (!places.contains(seq)) ++found;
    return found;
}

bool LedgerRescue::read_table(Database& damaged, const char* which, std::int64_t parameter) {
    Result<Statement> select = damaged.prepare(std::string("SELECT ") + LedgerRow::columns +
                                               ", seq FROM ledger NOT INDEXED " + which);
    if (!select) return false;
    select->bind(1, parameter);
    bool all_sound = true;
    for (;;) {
        const Result<bool> more = select->step();
        if (!more) return false;
        if (!*more) return all_sound;
        LedgerRow row;
        const bool sound = row.read(*select);
        all_sound = all_sound && sound;
        take(select->integer(7), std::move(row), sound);
    }
}

bool LedgerRescue::read_index(Database& damaged, const char* order) {
    Result<Statement> select = damaged.prepare(
        std::string("SELECT seq, id FROM ledger INDEXED BY sqlite_autoindex_ledger_1"
                    " ORDER BY id ") +
        order);
    if (!select) return false;
    for (;;) {
        const Result<bool> more = select->step();
        if (!more) return false;
        if (!*more) return true;
        doubt(select->integer(0), std::string(select->bytes(1)));
    }
}

bool LedgerRescue::read(Database& damaged) {
    constexpr const char* forward = "WHERE seq >= ?1 ORDER BY seq";
    constexpr const char* backward = "WHERE seq >= ?1 ORDER BY seq DESC";
    const bool table = read_table(damaged, forward, 0);
    if (!table) static_cast<void>(read_table(damaged, backward, 0));
    const bool index = read_index(damaged, "ASC");
    if (!index) static_cast<void>(read_index(damaged, "DESC"));
    // Between two holes in the table are rows that neither way has come to.
    std::vector<std::int64_t> missing;
    for (const auto& [seq, ids] : doubtful_) missing.push_back(seq);
    for (const std::int64_t seq : missing)
        static_cast<void>(read_table(damaged, "WHERE seq = ?1", seq));
    return table && index && doubtful_.empty();
}

Result<void> LedgerRescue::write(Database& target) const {
    std::int64_t newest = 0;
    std::map<std::int64_t, std::vector<LedgerRow>> in_order;
    for (const auto& [id, placed] : rows_) {
        newest = std::max(newest, placed.row.born_ms);
        in_order[placed.seq].push_back(placed.row);
    }
    for (const auto& [seq, ids] : doubtful_) {
        for (const std::string& id : ids) {
            if (rows_.contains(id)) continue;
            LedgerRow row;
            row.id = id;
            row.forget_outcome(newest);
            in_order[seq].push_back(std::move(row));
        }
    }
    for (const auto& [seq, rows] : in_order) {
        for (const LedgerRow& row : rows) {
            const Result<void> saved = row.save(target);
            if (!saved) return saved;
        }
    }
    return {};
}

}  // namespace fieldgate::storage
