#include "storage/control_store.h"

#include <random>
#include <utility>

namespace fieldgate::storage {
namespace {

// 0 is no life: it stands for one that nobody knows.
std::int64_t new_life() {
    std::random_device random;
    const std::uint64_t bits = (std::uint64_t{random()} << 32) | random();
    return static_cast<std::int64_t>(bits >> 1 | 1);
}

}  // namespace

ControlStore::ControlStore(const asio::any_io_executor& loop, std::string folder,
                           std::chrono::milliseconds commit)
    : ControlStore(loop, std::move(folder), commit, new_life()) {}

ControlStore::ControlStore(const asio::any_io_executor& loop, std::string folder,
                           std::chrono::milliseconds commit, std::int64_t life)
    : commits_(loop, std::move(folder), life, commit),
      ledger_(commits_, life),
      audit_(commits_),
      roster_(commits_),
      learned_(commits_) {
    commits_.on_open([this](const ControlStock& stock) {
        roster_.adopt(stock.roster);
        learned_.adopt(stock.learned);
        ledger_.adopt(stock);
    });
}

}  // namespace fieldgate::storage
