#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace fieldgate::storage {

class Database;

/// A sub-device that the platform has added (protocol reference 4.1).
struct SubDevice {
    std::string device_id;
    std::string node_id;
    std::string product_id;
    std::string name;
    std::string extension_info;  ///< JSON text as it came; empty: none
    std::string parent_id;
    std::string unserved;  ///< why it cannot be served; empty: it is served

    bool operator==(const SubDevice&) const = default;
};

struct RosterContent {
    std::int64_t version = 0;                  ///< of the list; 0: none was ever seen
    std::map<std::string, SubDevice> devices;  ///< by device_id
};

/// From one version of the list to another.
struct RosterChange {
    std::int64_t version = 0;
    std::vector<SubDevice> added;      ///< or known, and different now
    std::vector<std::string> removed;  ///< by device_id
};

/// The roster's rows. Inside a transaction, on the worker. Errors: those of Database.
class RosterTable {
public:
    explicit RosterTable(Database& database) : database_(database) {}

    /// False, and nothing is changed: the version is older than the one that is stored.
    Result<bool> apply(const RosterChange& change);

    Result<RosterContent> load();
    /// Rows whose check sum is wrong go, and the version with them, so that the next
    /// synchronisation brings the whole list. Returns how many; at open.
    Result<std::uint64_t> heal();
    /// Copies what can still be read of a damaged file, without its version. False: that was not
    /// all. Errors are this database's alone.
    Result<bool> rescue(Database& damaged);

private:
    Result<void> save(const SubDevice& device);
    Result<void> erase(std::string_view device_id);

    Database& database_;
};

}  // namespace fieldgate::storage
