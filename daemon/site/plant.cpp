#include "daemon/site/plant.h"

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "daemon/flows.h"

namespace fieldgate {
namespace {

const char* const reconfigured = "busy: the site is being changed";

asio::awaitable<void> stop_line(Line& line, Parts& parts, const char* why, Instant deadline,
                                bool& all) {
    const bool ended = co_await line.stop(parts, why, deadline);
    all = all && ended;
}

// A line that a worker holds. At the end of the process nobody waits for it.
class LeftBehind {
public:
    explicit LeftBehind(std::unique_ptr<Line> line) : line_(std::move(line)) {}
    ~LeftBehind() {
        if (!line_->ended()) static_cast<void>(line_.release());
    }
    LeftBehind(const LeftBehind&) = delete;
    LeftBehind& operator=(const LeftBehind&) = delete;
    bool ended() const { return line_->ended(); }

private:
    std::unique_ptr<Line> line_;
};

// Its port is free when it has ended.
asio::awaitable<void> bury(std::unique_ptr<Line> line) {
    const LeftBehind left(std::move(line));
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (!left.ended()) {
        timer.expires_after(std::chrono::milliseconds(100));
        co_await timer.async_wait(asio::use_awaitable);
    }
}

}  // namespace

Line& Plant::add(const Site& site, std::size_t bus) {
    auto line = std::make_unique<Line>(loop_, site.config.buses[bus], site.devices_of(bus));
    return *(lines_[line->name()] = std::move(line));
}

void Plant::start(Parts& parts) {
    for (const auto& [name, line] : lines_) line->start(parts);
}

asio::awaitable<bool> Plant::stop(Parts& parts, const char* why, Instant deadline) {
    TaskGroup stopping(loop_);
    bool all = true;
    for (const auto& [name, line] : lines_)
        stopping.spawn(name, stop_line(*line, parts, why, deadline, all));
    co_await stopping.ended(Instant::max());
    co_return all;
}

asio::awaitable<std::vector<std::string>> Plant::retire(const SiteChange& change, Parts& parts) {
    constexpr std::chrono::seconds patience{1};
    std::vector<std::unique_ptr<Line>> ending;
    for (const std::string& name : change.lines_rewired)
        ordered_[name] = find(name)->bus().ordered();
    for (const auto* names : {&change.lines_gone, &change.lines_rewired})
        for (const std::string& name : *names)
            ending.push_back(std::move(lines_.extract(name).mapped()));
    TaskGroup stopping(loop_);
    bool all = true;
    const Instant deadline = Event::Clock::now() + patience;
    for (const auto& line : ending)
        stopping.spawn(line->name(), stop_line(*line, parts, reconfigured, deadline, all));
    co_await stopping.ended(Instant::max());
    std::vector<std::string> held;
    for (std::unique_ptr<Line>& line : ending) {
        if (line->ended()) continue;
        held.push_back(line->name() + ": what was on its wire has not ended yet");
        for (const char* flow : {"collect ", "obey "}) parts.pulses.excuse(flow + line->name());
        parts.timers.spawn("bury", bury(std::move(line)));
    }
    co_return held;
}

void Plant::renew(const SiteChange& change, const Site& site, Parts& parts) {
    for (const SiteChange::Redeviced& bus : change.redeviced)
        find(bus.bus)->bus().serve(bus.devices);
    for (std::size_t i = 0; i < site.config.buses.size(); ++i) {
        if (find(site.config.buses[i].name)) continue;
        // Served, not built with its devices: to plan them all in one turn would delay the others.
        auto line = std::make_unique<Line>(loop_, site.config.buses[i],
                                           std::vector<southbound::DeviceSettings>());
        line->bus().serve(site.devices_of(i));
        const auto ordered = ordered_.extract(line->name());
        if (ordered) line->bus().take_over(ordered.mapped());
        line->start(parts);
        lines_[line->name()] = std::move(line);
    }
}

Line* Plant::find(const std::string& bus) const {
    const auto found = lines_.find(bus);
    return found == lines_.end() ? nullptr : found->second.get();
}

}  // namespace fieldgate
