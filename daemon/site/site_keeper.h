#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/event.h"
#include "base/worker.h"
#include "daemon/config.h"
#include "daemon/site/last_good.h"
#include "daemon/site/site.h"
#include "daemon/site/site_change.h"

namespace fieldgate {

/// The only way from one site to the next: read, check, compare, apply, report. Changes pass one
/// after the other, whoever wants them. Runs on the loop; files are read on a worker.
class SiteKeeper {
public:
    struct Report {
        /// well; configuration: the files have an error, and nothing has changed; failed: a file
        /// could not be read, or not all of it could be applied.
        Exit exit = Exit::well;
        std::uint64_t revision = 0;  ///< that holds now
        std::string main_file;       ///< that was read
        std::vector<Problem> problems;
        std::vector<std::string> changes;   ///< a line each, for people
        std::vector<std::string> failures;  ///< what could not be applied, and why
        std::vector<std::string> remarks;   ///< remarks() of what holds now, and what else to know
    };
    /// Makes the gateway do what `site` says; returns what could not be done.
    using Apply = std::function<asio::awaitable<std::vector<std::string>>(
        SitePtr site, const SiteChange& change)>;

    /// `devices` must outlive it.
    SiteKeeper(const asio::any_io_executor& loop, std::string main_file, DeviceTable& devices,
               SitePtr first, Apply apply);

    const SitePtr& now() const { return now_; }

    /// The site is what the files say from now on, if they have no error. What could be applied
    /// whole is the last good one.
    asio::awaitable<Report> reload();
    /// The first one runs.
    asio::awaitable<void> keep();

private:
    class Turn;
    asio::awaitable<Report> propose(LoadedConfig loaded);
    asio::awaitable<void> keep(Report& report);

    asio::any_io_executor loop_;
    std::string main_file_;
    DeviceTable& devices_;
    LastGood last_good_;
    const SitePtr first_;  // what the store and the sockets were opened with
    SitePtr now_;
    Apply apply_;
    std::deque<Event*> waiting_;  // the front has its turn
    Worker worker_;
};

/// One JSON object: {"exit":0,"revision":2,"main_file":"/...","problems":"as check prints
/// them","changes":[...], "failures":[...],"remarks":[...]}.
std::string report_json(const SiteKeeper::Report& report);

}  // namespace fieldgate
