#pragma once
#include <memory>
#include <string>

#include "base/result.h"
#include "storage/audit_chain.h"

namespace fieldgate::storage {

/// The audit of a store, read by a process that is not its gateway, whether one runs or not.
/// Changes nothing; SQLite keeps the locks of readers in `control.db-shm`, so the folder must be
/// writable. Each page is one short read transaction, so that the gateway's WAL is not pinned.
class AuditFile {
public:
    AuditFile();
    ~AuditFile();

    /// Errors: closed (no store there), and those of Database.
    Result<void> open(const std::string& folder);
    /// See read_audit(). Errors: those of Database.
    Result<AuditPage> read(std::uint64_t from, std::size_t limit);

private:
    std::unique_ptr<Database> database_;
};

}  // namespace fieldgate::storage
