#include "daemon/site/plant.h"

#include "daemon/flows.h"

namespace fieldgate {
namespace {

const char* const reconfigured = "busy: the site is being changed";

asio::awaitable<void> stop_line(Line& line, Parts& parts, const char* why, Instant deadline,
                                bool& all) {
    const bool ended = co_await line.stop(parts, why, deadline);
    all = all && ended;
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
    bury();
    std::vector<std::unique_ptr<Line>> ending;
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
        left_behind_.push_back(std::move(line));
    }
    co_return held;
}

void Plant::renew(const SiteChange& change, const Site& site, Parts& parts) {
    for (const SiteChange::Redeviced& bus : change.redeviced)
        find(bus.bus)->bus().serve(bus.devices);
    for (std::size_t i = 0; i < site.config.buses.size(); ++i)
        if (!find(site.config.buses[i].name)) add(site, i).start(parts);
}

void Plant::bury() {
    std::erase_if(left_behind_, [](const std::unique_ptr<Line>& line) { return line->ended(); });
}

Line* Plant::find(const std::string& bus) const {
    const auto found = lines_.find(bus);
    return found == lines_.end() ? nullptr : found->second.get();
}

}  // namespace fieldgate
