#include "tests/storage/fault_vfs.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <new>
#include <thread>

namespace fieldgate::storage {
namespace {

using Fault = FaultVfs::Fault;

struct File {
    sqlite3_file base;
    sqlite3_file* real;
};

sqlite3_vfs* system_vfs = nullptr;
sqlite3_vfs faulty{};

constexpr std::size_t real_offset = (sizeof(File) + 15) / 16 * 16;

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real; }

bool strikes(Fault fault) {
    FaultVfs::State& state = FaultVfs::state();
    if (state.fault == fault) return true;
    if (state.once != fault || state.countdown-- > 0) return false;
    state.once = Fault::none;
    return true;
}

int close(sqlite3_file* file) { return real(file)->pMethods->xClose(real(file)); }
// Until it is let go.
void wait_while(const std::atomic<bool>& held) {
    FaultVfs::State& state = FaultVfs::state();
    state.holding = held.load();
    held.wait(true);
    state.holding = false;
}

int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
    wait_while(FaultVfs::state().reads_held);
    if (const auto time = FaultVfs::state().read_time.load())
        std::this_thread::sleep_for(std::chrono::microseconds(time));
    if (strikes(Fault::read_error)) return SQLITE_IOERR_READ;
    if (strikes(Fault::bad_sector)) return SQLITE_IOERR_CORRUPTFS;
    FaultVfs::state().bytes_read += size;
    return real(file)->pMethods->xRead(real(file), to, size, at);
}
int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
    ++FaultVfs::state().writes;
    if (strikes(Fault::death)) ::_exit(0);
    if (strikes(Fault::full)) return SQLITE_FULL;
    if (strikes(Fault::write_error)) return SQLITE_IOERR_WRITE;
    return real(file)->pMethods->xWrite(real(file), from, size, at);
}
int truncate(sqlite3_file* file, sqlite3_int64 size) {
    return real(file)->pMethods->xTruncate(real(file), size);
}
int sync(sqlite3_file* file, int flags) {
    FaultVfs::State& state = FaultVfs::state();
    ++state.syncs;
    wait_while(state.held);
    if (strikes(Fault::sync_error)) return SQLITE_IOERR_FSYNC;
    return real(file)->pMethods->xSync(real(file), flags);
}
int size(sqlite3_file* file, sqlite3_int64* bytes) {
    return real(file)->pMethods->xFileSize(real(file), bytes);
}
int lock(sqlite3_file* file, int level) { return real(file)->pMethods->xLock(real(file), level); }
int unlock(sqlite3_file* file, int level) {
    return real(file)->pMethods->xUnlock(real(file), level);
}
int is_locked(sqlite3_file* file, int* locked) {
    return real(file)->pMethods->xCheckReservedLock(real(file), locked);
}
int control(sqlite3_file* file, int operation, void* argument) {
    return real(file)->pMethods->xFileControl(real(file), operation, argument);
}
int sector(sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); }
int traits(sqlite3_file* file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }

// The WAL's index of a file that others may read meanwhile.
int map(sqlite3_file* file, int region, int bytes, int extend, void volatile** to) {
    return real(file)->pMethods->xShmMap(real(file), region, bytes, extend, to);
}
int lock_index(sqlite3_file* file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
void barrier(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }
int unmap(sqlite3_file* file, int remove) {
    return real(file)->pMethods->xShmUnmap(real(file), remove);
}

const sqlite3_io_methods methods{2,          close,   read,      write,   truncate, sync,   size,
                                 lock,       unlock,  is_locked, control, sector,   traits, map,
                                 lock_index, barrier, unmap,     nullptr, nullptr};

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    auto* wrapped = reinterpret_cast<File*>(file);
    wrapped->real =
        reinterpret_cast<sqlite3_file*>(reinterpret_cast<std::byte*>(file) + real_offset);
    wrapped->base.pMethods = nullptr;
    const int result = system_vfs->xOpen(system_vfs, name, wrapped->real, flags, out_flags);
    if (wrapped->real->pMethods != nullptr) wrapped->base.pMethods = &methods;
    return result;
}

}  // namespace

FaultVfs::FaultVfs() {
    system_vfs = sqlite3_vfs_find("unix");
    faulty = *system_vfs;
    faulty.zName = "faulty";
    faulty.szOsFile = static_cast<int>(real_offset) + system_vfs->szOsFile;
    faulty.xOpen = open;
    sqlite3_vfs_register(&faulty, 1);
    fail(Fault::none);
    state().once = Fault::none;
}

FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(&faulty); }

FaultVfs::State& FaultVfs::state() {
    static State state;
    return state;
}

}  // namespace fieldgate::storage

// In front of the C library's, for the standard library's calls too.
extern "C" int rename(const char* from, const char* to) noexcept {
    using fieldgate::storage::Fault;
    if (fieldgate::storage::strikes(Fault::death)) ::_exit(0);
    if (!fieldgate::storage::strikes(Fault::rename_error))
        return ::renameat(AT_FDCWD, from, AT_FDCWD, to);
    errno = EIO;
    return -1;
}
