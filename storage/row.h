#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/record.h"
#include "storage/lanes.h"
#include "storage/stamps.h"

namespace fieldgate::storage {

/// What the loop and the disk's worker tell each other. Values.

/// A device's service under the number that rows on disk name it by.
struct StoredSeries {
    std::int64_t id = 0;
    std::string device_id;
    std::string service_id;
};

/// A row as the disk has it; its check sum was right.
struct StoredRow {
    Seq seq = 0;
    std::int64_t series = 0;
    Utc at;
    std::chrono::milliseconds since_boot{0};
    bool proven = false;
    bool this_boot = false;
    std::string properties;
};

/// How many rows have come and where they have gone; on disk: as of the last commit, without those
/// that were in RAM only.
struct Counters {
    std::uint64_t accepted = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t evicted = 0;
    std::uint64_t quarantined = 0;
};

struct DiskFigures {
    std::uint64_t pages = 0;          ///< of the database file
    std::uint64_t pages_used = 0;     ///< of them not free
    std::uint64_t pages_max = 0;      ///< the cap
    std::uint64_t rows = 0;           ///< in both tables
    std::uint64_t store_bytes = 0;    ///< database, WAL and ballast
    std::uint64_t free_bytes = 0;     ///< of the file system, for us
    std::uint64_t written_bytes = 0;  ///< since start, estimated
};

/// One transaction.
struct Batch {
    struct Insert {
        Table table = Table::data;
        Seq seq = 0;
        std::int64_t series = 0;
        const Record* record = nullptr;  ///< Frozen on its shelf until the commit has ended.
    };
    struct Quarantine {
        Table table = Table::data;
        Seq seq = 0;
        std::int64_t series = 0;         ///< of `record`
        const Record* record = nullptr;  ///< nullptr: the row on disk
        std::string why;
    };
    std::vector<StoredSeries> series;  ///< names that are new
    std::vector<Insert> inserts;
    std::vector<Quarantine> quarantine;
    std::array<SeqSet, 2> removals;
    std::array<Stamps, 2> stamps;
    bool stamps_changed = false;
    std::array<Seq, 2> next{1, 1};
    Counters counters;
    std::optional<Utc> proven_time;  ///< to be noted with it
};

struct Page {
    std::vector<StoredRow> rows;
    std::vector<Seq> bad;  ///< check sum wrong
    Seq through = 0;       ///< all rows from the one asked for up to this one have been looked at
};

/// What opening found.
struct Inventory {
    std::array<SeqSet, 2> rows;
    std::array<SeqSet, 2> condemned;  ///< not in `rows`: of an earlier boot, before the floor
    std::array<Seq, 2> next{1, 1};
    std::array<Seq, 2> this_boot_from{1, 1};  ///< rows before it are of earlier boots
    std::array<SeqSet, 2> impossible;  ///< of this boot, of a time before the floor, not settled
    std::array<Stamps, 2> stamps;
    std::vector<StoredSeries> series;
    Counters counters;
    std::optional<Utc> proven_time;
    DiskFigures figures;
    std::string set_aside;       ///< the damaged file's new name; empty: none
    std::uint64_t salvaged = 0;  ///< rows saved from it
    std::uint64_t lost = 0;      ///< rows that it had and that could not be saved; counted above
    bool lost_known = true;      ///< false: the books are lost, too
};

/// CRC-32 of all that makes a row true; `names` is that of the device, service and boot.
std::uint32_t name_checksum(std::string_view device_id, std::string_view service_id);
std::uint32_t row_checksum(std::uint32_t names, std::string_view boot, Table table, Seq seq, Utc at,
                           std::chrono::milliseconds since_boot, bool proven,
                           std::string_view properties);

}  // namespace fieldgate::storage
