#include "tests/storage/power_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>

namespace fieldgate::storage {
namespace {

constexpr std::size_t sector_bytes = 512;

PowerVfs* disk = nullptr;  // the one that lives
sqlite3_vfs* system_vfs = nullptr;
sqlite3_vfs table{};

struct Handle {
    sqlite3_file base;
    PowerVfs::File* file;
};

PowerVfs::File& file_of(sqlite3_file* handle) { return *reinterpret_cast<Handle*>(handle)->file; }

int close(sqlite3_file*) { return SQLITE_OK; }

int read(sqlite3_file* handle, void* to, int size, sqlite3_int64 at) {
    if (disk->is_off()) return SQLITE_IOERR_READ;
    const std::string& content = file_of(handle).now;
    const auto wanted = static_cast<std::size_t>(size);
    const std::size_t from = std::min(content.size(), static_cast<std::size_t>(at));
    const std::size_t count = std::min(wanted, content.size() - from);
    std::memcpy(to, content.data() + from, count);
    if (count == wanted) return SQLITE_OK;
    std::memset(static_cast<char*>(to) + count, 0, wanted - count);
    return SQLITE_IOERR_SHORT_READ;
}

// It is among what may be kept also if the power goes with it.
int change(sqlite3_file* handle, PowerVfs::Change change) {
    if (disk->is_off()) return SQLITE_IOERR_WRITE;
    PowerVfs::File& file = file_of(handle);
    PowerVfs::apply(change, file.now);
    file.unsynced.push_back(std::move(change));
    return disk->lasts() ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

int write(sqlite3_file* handle, const void* from, int size, sqlite3_int64 at) {
    PowerVfs::Change made;
    made.at = static_cast<std::uint64_t>(at);
    made.bytes.assign(static_cast<const char*>(from), static_cast<std::size_t>(size));
    return change(handle, std::move(made));
}

int truncate(sqlite3_file* handle, sqlite3_int64 size) {
    PowerVfs::Change made;
    made.at = static_cast<std::uint64_t>(size);
    made.truncation = true;
    return change(handle, std::move(made));
}

int sync(sqlite3_file* handle, int) {
    if (!disk->lasts()) return SQLITE_IOERR_FSYNC;
    PowerVfs::File& file = file_of(handle);
    for (const PowerVfs::Change& made : file.unsynced) PowerVfs::apply(made, file.synced);
    file.unsynced.clear();
    return SQLITE_OK;
}

int size(sqlite3_file* handle, sqlite3_int64* bytes) {
    *bytes = static_cast<sqlite3_int64>(file_of(handle).now.size());
    return SQLITE_OK;
}

int lock(sqlite3_file*, int) { return SQLITE_OK; }
int is_locked(sqlite3_file*, int* locked) {
    *locked = 0;
    return SQLITE_OK;
}
int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector(sqlite3_file*) { return sector_bytes; }
// As SQLite believes of every file on unix: a write touches no byte outside it.
int traits(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

// Version 1: no shared memory, which the store does not need.
const sqlite3_io_methods methods{1,       close,   read,      write,   truncate, sync,   size,
                                 lock,    lock,    is_locked, control, sector,   traits, nullptr,
                                 nullptr, nullptr, nullptr,   nullptr, nullptr};

int open(sqlite3_vfs*, const char* name, sqlite3_file* handle, int flags, int* out_flags) {
    auto* opened = reinterpret_cast<Handle*>(handle);
    opened->base.pMethods = nullptr;
    const bool makes = (flags & SQLITE_OPEN_CREATE) != 0;
    if (disk->is_off() || name == nullptr || (!makes && !disk->exists(name)))
        return SQLITE_CANTOPEN;
    opened->file = &disk->file(name);
    opened->base.pMethods = &methods;
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
}

int unlink(sqlite3_vfs*, const char* name, int) {
    if (disk->is_off()) return SQLITE_IOERR_DELETE;
    if (!disk->exists(name)) return SQLITE_IOERR_DELETE_NOENT;
    disk->remove(name);
    return SQLITE_OK;
}

int access(sqlite3_vfs*, const char* name, int, int* answer) {
    *answer = disk->exists(name) ? 1 : 0;
    return SQLITE_OK;
}

}  // namespace

PowerVfs::PowerVfs(std::uint32_t seed) : random_(seed) {
    system_vfs = sqlite3_vfs_find("unix");
    table = *system_vfs;
    table.zName = "power";
    table.szOsFile = sizeof(Handle);
    table.xOpen = open;
    table.xDelete = unlink;
    table.xAccess = access;
    disk = this;
    sqlite3_vfs_register(&table, 1);
}

PowerVfs::~PowerVfs() {
    sqlite3_vfs_unregister(&table);
    disk = nullptr;
}

void PowerVfs::power_on(std::uint64_t operations) {
    operations_left_ = operations;
    off_ = false;
}

bool PowerVfs::lasts() {
    if (off_) return false;
    if (operations_left_-- > 0) return true;
    cut();
    return false;
}

void PowerVfs::apply(const Change& change, std::string& content) {
    if (change.truncation) return content.resize(change.at);
    if (content.size() < change.at + change.bytes.size())
        content.resize(change.at + change.bytes.size());
    content.replace(change.at, change.bytes.size(), change.bytes);
}

void PowerVfs::cut() {
    off_ = true;
    for (auto& [name, file] : files_) {
        for (const Change& change : file.unsynced) {
            const auto fate = random_() % 3;
            if (fate == 0) continue;
            if (fate == 1 || change.truncation) {
                apply(change, file.synced);
                continue;
            }
            for (std::size_t from = 0; from < change.bytes.size(); from += sector_bytes) {
                if (random_() % 2 == 0) continue;
                Change part;
                part.at = change.at + from;
                part.bytes = change.bytes.substr(from, sector_bytes);
                apply(part, file.synced);
            }
        }
        file.unsynced.clear();
        file.now = file.synced;
    }
}

}  // namespace fieldgate::storage
