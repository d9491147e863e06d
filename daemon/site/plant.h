#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <map>
#include <memory>
#include <string>

#include "daemon/site/line.h"
#include "daemon/site/site.h"

namespace fieldgate {

/// The field: the lines of the site, by the names of their buses. Runs on the loop.
class Plant {
public:
    using Lines = std::map<std::string, std::unique_ptr<Line>>;

    explicit Plant(const asio::any_io_executor& loop) : loop_(loop) {}

    /// One of the buses of `site`; not started yet.
    Line& add(const Site& site, std::size_t bus);
    void start(Parts& parts);
    /// As Line::stop(), of all of them at once.
    asio::awaitable<bool> stop(Parts& parts, const char* why, Instant deadline);

    /// nullptr: there is no such line (any more).
    Line* find(const std::string& bus) const;
    const Lines& lines() const { return lines_; }

private:
    asio::any_io_executor loop_;
    Lines lines_;
};

}  // namespace fieldgate
