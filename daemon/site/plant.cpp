#include "daemon/site/plant.h"

namespace fieldgate {

Line& Plant::add(const Site& site, std::size_t bus) {
    auto line = std::make_unique<Line>(loop_, site.config.buses[bus], site.devices_of(bus));
    return *(lines_[line->name()] = std::move(line));
}

void Plant::start(Parts& parts) {
    for (const auto& [name, line] : lines_) line->start(parts);
}

asio::awaitable<bool> Plant::stop(Instant deadline) {
    TaskGroup stopping(loop_);
    bool all = true;
    const auto stop = [](Line& line, Instant until, bool& unwound) -> asio::awaitable<void> {
        const bool ended = co_await line.stop(until);
        unwound = unwound && ended;
    };
    for (const auto& [name, line] : lines_) stopping.spawn(name, stop(*line, deadline, all));
    co_await stopping.ended(Instant::max());
    co_return all;
}

Line* Plant::find(const std::string& bus) const {
    const auto found = lines_.find(bus);
    return found == lines_.end() ? nullptr : found->second.get();
}

}  // namespace fieldgate
