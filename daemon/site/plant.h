#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/site/line.h"
#include "daemon/site/site.h"
#include "daemon/site/site_change.h"

namespace fieldgate {

/// The field: the lines of the site, by the names of their buses. Runs on the loop.
class Plant {
public:
    using Lines = std::map<std::string, std::unique_ptr<Line>>;

    explicit Plant(const asio::any_io_executor& loop) : loop_(loop) {}

    /// One of the buses of `site`; not started yet.
    Line& add(const Site& site, std::size_t bus);
    void start(Parts& parts);
    /// The lines that are gone, or wired otherwise, in `change` end; what they were asked is given
    /// back; what was ordered of those for a time is kept for renew(). One that is held by its
    /// worker is left behind, and named.
    asio::awaitable<std::vector<std::string>> retire(const SiteChange& change, Parts& parts);
    /// The others get their devices, and the new ones begin.
    void renew(const SiteChange& change, const Site& site, Parts& parts);
    /// As Line::stop(), of all of them at once.
    asio::awaitable<bool> stop(Parts& parts, const char* why, Instant deadline);

    /// nullptr: there is no such line (any more).
    Line* find(const std::string& bus) const;
    const Lines& lines() const { return lines_; }

private:
    asio::any_io_executor loop_;
    Lines lines_;
    std::map<std::string, southbound::Bus::Ordered> ordered_;
};

}  // namespace fieldgate
