#include "daemon/gate/tally.h"

#include <algorithm>
#include <utility>

namespace fieldgate {
namespace {

using storage::AuditEntry;

AuditEntry count_of(const AuditEntry& last, std::uint64_t more, std::chrono::minutes window) {
    AuditEntry row = last;
    row.result = std::to_string(more) + " more within " + std::to_string(window.count()) +
                 " min, the last: " + last.result;
    return row;
}

}  // namespace

// A bucket of kinds_max, filled by one every new_kind.
bool Tally::may_be_new(Instant now) {
    const std::chrono::duration<double> since = now - filled_;
    filled_ = now;
    const double more = since / std::chrono::duration<double>(new_kind);
    new_kinds_ = std::min(static_cast<double>(kinds_max), new_kinds_ + more);
    if (kinds_.size() >= kinds_max || new_kinds_ < 1) return false;
    new_kinds_ -= 1;
    return true;
}

std::optional<AuditEntry> Tally::add(AuditEntry entry, int code, Instant now) {
    const auto find = [&] {
        return std::find_if(kinds_.begin(), kinds_.end(), [&](const Kind& one) {
            return one.code == code && one.last.what == entry.what &&
                   one.last.target == entry.target;
        });
    };
    auto kind = find();
    if (kind == kinds_.end() && !may_be_new(now)) {
        entry.what = "request";
        entry.target = "several";
        code = 0;
        kind = find();
    }
    if (kind == kinds_.end()) {
        kinds_.push_back({code, entry, 0, shortest, now});
        return entry;
    }
    kind->last = std::move(entry);
    ++kind->more;
    return std::nullopt;
}

std::vector<AuditEntry> Tally::due(Instant now) {
    std::vector<AuditEntry> rows;
    for (auto kind = kinds_.begin(); kind != kinds_.end();) {
        if (now < kind->since || now - kind->since < kind->window) {
            ++kind;
            continue;
        }
        if (kind->more == 0) {
            kind = kinds_.erase(kind);
            continue;
        }
        rows.push_back(count_of(kind->last, kind->more, kind->window));
        kind->more = 0;
        kind->since = now;
        kind->window = std::min(2 * kind->window, longest);
        ++kind;
    }
    return rows;
}

}  // namespace fieldgate
