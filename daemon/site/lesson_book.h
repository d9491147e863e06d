#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <map>
#include <string>
#include <vector>

#include "daemon/site/plant.h"
#include "daemon/site/site.h"
#include "model/event_time.h"
#include "storage/learned.h"

namespace fieldgate {

/// What devices have taught about how they are read, kept over a restart: in the control store, by
/// device with its wire and the layout of its registers, and how long the answers of a bus take.
/// What was last true more than 24 h ago is not believed. Runs on the loop.
class LessonBook {
public:
    static constexpr std::chrono::hours believed_for{24};

    /// All of these must outlive it.
    LessonBook(const asio::any_io_executor& loop, storage::Learned& store, const EventClock& clock,
               const Plant& plant, const SitePtr& site)
        : loop_(loop), store_(store), clock_(clock), plant_(plant), site_(site) {}

    /// Waits until it is known what was kept, or `deadline`: polling does not wait for a disk.
    asio::awaitable<void> opened(Instant deadline);

    /// Tells `bus` what is kept of it and its devices; to be called again when it has got new ones.
    void teach(southbound::Bus& bus) const;

    /// Flow: every minute, what was learned since goes to disk. Has no pulse: a disk that hangs is
    /// the business of the stores.
    asio::awaitable<void> keep();
    /// After it: what is not on disk yet.
    asio::awaitable<void> keep_last();

private:
    struct Change {
        std::vector<storage::LearnedRow> rows;
        std::vector<std::string> forgotten;
    };

    std::int64_t now_ms() const;
    bool is_old(const storage::LearnedRow& row) const;
    const storage::LearnedRow* kept(const std::string& what, const std::string& version) const;
    std::vector<storage::LearnedRow> learned() const;
    Change change() const;

    asio::any_io_executor loop_;
    storage::Learned& store_;
    const EventClock& clock_;
    const Plant& plant_;
    const SitePtr& site_;
};

}  // namespace fieldgate
