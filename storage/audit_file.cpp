#include "storage/audit_file.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "storage/control_disk.h"
#include "storage/database.h"

namespace fieldgate::storage {

AuditFile::AuditFile() : database_(std::make_unique<Database>()) {}
AuditFile::~AuditFile() = default;

Result<void> AuditFile::open(const std::string& folder) {
    const std::string file = folder + "/" + ControlDisk::file_name;
    if (::access(file.c_str(), F_OK) != 0) {
        const bool none = errno == ENOENT;
        return Error(Errc::closed, file + ": " +
                                       (none ? "no such file (has fieldgate run here yet?)"
                                             : std::generic_category().message(errno)));
    }
    return database_->open_to_read(file);
}

Result<AuditPage> AuditFile::read(std::uint64_t from, std::size_t limit) {
    return read_audit(*database_, from, limit);
}

}  // namespace fieldgate::storage
