#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>

namespace fieldgate::storage {

/// A disk that can be made to fail: SQLite's default file system while one lives, with faults in
/// front of the real one; and rename(), whoever calls it.
class FaultVfs {
public:
    FaultVfs();
    ~FaultVfs();
    FaultVfs(const FaultVfs&) = delete;
    FaultVfs& operator=(const FaultVfs&) = delete;

    /// bad_sector: the read error that SQLite takes for damage (EIO; read_error: any other).
    /// death: the process ends instead of a write or a rename, as a kill would end it.
    enum class Fault : std::uint8_t {
        none,
        full,
        write_error,
        sync_error,
        read_error,
        bad_sector,
        rename_error,
        death
    };
    /// Every operation of that kind fails until told otherwise.
    void fail(Fault fault) { state().fault = fault; }
    /// The operation after `count` more of that kind fails, once.
    void fail_once(Fault fault, int count) {
        state().countdown = count;
        state().once = fault;
    }
    /// The fault of fail_once() has struck.
    bool struck() const { return state().once == Fault::none; }

    int syncs() const { return state().syncs; }
    int writes() const { return state().writes; }
    std::int64_t bytes_read() const { return state().bytes_read; }
    /// Every sync waits until told otherwise.
    void hold_syncs(bool hold) {
        state().held = hold;
        state().held.notify_all();
    }
    /// The same for reads.
    void hold_reads(bool hold) {
        state().reads_held = hold;
        state().reads_held.notify_all();
    }
    /// Every read takes so long.
    void slow_reads(std::chrono::microseconds each) { state().read_time = each.count(); }
    /// A sync or a read is waiting.
    bool holds_one() const { return state().holding; }

    struct State {
        std::atomic<bool> held = false;
        std::atomic<bool> reads_held = false;
        std::atomic<bool> holding = false;
        std::atomic<Fault> fault = Fault::none;
        std::atomic<Fault> once = Fault::none;
        std::atomic<int> countdown = 0;
        std::atomic<std::int64_t> read_time = 0;  // microseconds
        std::atomic<int> syncs = 0;
        std::atomic<int> writes = 0;
        std::atomic<std::int64_t> bytes_read = 0;
    };
    static State& state();
};

}  // namespace fieldgate::storage
