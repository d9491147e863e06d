#include "daemon/site/plant.h"

namespace fieldgate {
namespace {

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

Line* Plant::find(const std::string& bus) const {
    const auto found = lines_.find(bus);
    return found == lines_.end() ? nullptr : found->second.get();
}

}  // namespace fieldgate
