#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace fieldgate::storage {

/// A disk whose power can be cut: SQLite's default file system while one lives. Files are in
/// memory, each twice: as it was last synced, and as it reads. At the cut every write since the
/// last sync is kept, lost or torn at 512-byte sectors, by chance and independently of the others;
/// from then on nothing works until power_on().
///
/// One database thread at a time; power_on() and the destructor while there is none.
class PowerVfs {
public:
    explicit PowerVfs(std::uint32_t seed);
    ~PowerVfs();
    PowerVfs(const PowerVfs&) = delete;
    PowerVfs& operator=(const PowerVfs&) = delete;

    /// The power lasts for `operations` more writes, truncations and syncs.
    void power_on(std::uint64_t operations);
    bool is_off() const { return off_; }

    struct Change {
        std::uint64_t at = 0;  ///< a truncation: the new size
        std::string bytes;
        bool truncation = false;
    };
    struct File {
        std::string now;
        std::string synced;
        std::vector<Change> unsynced;
    };
    /// For SQLite's calls: false if the power is off, or goes off with this operation.
    bool lasts();
    File& file(const std::string& name) { return files_[name]; }
    bool exists(const std::string& name) const { return files_.contains(name); }
    void remove(const std::string& name) { files_.erase(name); }
    static void apply(const Change& change, std::string& content);

private:
    void cut();

    std::mt19937 random_;
    std::map<std::string, File> files_;
    std::uint64_t operations_left_ = 0;
    std::atomic<bool> off_ = true;
};

}  // namespace fieldgate::storage
