#include "tests/lab/plant/plant.h"

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <future>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "base/expect.h"
#include "tests/lab/plant/listener.h"

using namespace std::chrono_literals;

namespace fieldgate::lab {
namespace {

// The slaves behind one port or line.
class Slaves {
public:
    Slaves(const Plant::Site& site, Framing framing) : framing_(framing) {
        for (const std::uint8_t unit : site.units)
            slaves_.try_emplace(unit, unit, framing, site.limits, site.values());
    }

    Spoiled answer(const Bytes& frame) {
        const std::size_t unit_at = framing_ == Framing::rtu ? 0 : 6;
        const std::uint8_t unit = frame[unit_at];
        const std::uint8_t function = frame[unit_at + 1];
        if (arrivals_) arrivals_->push_back({unit, std::chrono::steady_clock::now()});
        const auto slave = slaves_.find(unit);
        if (slave == slaves_.end()) return {};
        const auto script = scripts_.find(unit);
        Fault fault = script == scripts_.end() ? Fault() : script->second.next(function);
        if (fault.kind == FaultKind::none) fault = all_.next(function);
        if (fault.kind == FaultKind::unheard) return {};
        return spoil(fault, framing_, slave->second.answer(frame));
    }

    void set_fault(std::uint8_t unit, const Fault& fault) {
        if (unit == 0)
            all_.set(fault);
        else
            scripts_[unit].set(fault);
    }

    std::uint64_t strikes(std::uint8_t unit) const {
        if (unit == 0) return all_.strikes();
        const auto script = scripts_.find(unit);
        return script == scripts_.end() ? 0 : script->second.strikes();
    }

    std::uint64_t requests(std::uint8_t unit) const {
        const auto slave = slaves_.find(unit);
        return slave == slaves_.end() ? 0 : slave->second.requests();
    }

    void watch() {
        if (!arrivals_) arrivals_.emplace();
    }
    std::vector<Plant::Arrival> arrivals() const {
        return arrivals_.value_or(std::vector<Plant::Arrival>());
    }

    Slave& slave(std::uint8_t unit) {
        const auto found = slaves_.find(unit);
        expect(found != slaves_.end(), "a slave of that unit");
        return found->second;
    }

    std::vector<Plant::Truth> truth() {
        std::vector<Plant::Truth> all;
        for (auto& [unit, slave] : slaves_) all.push_back({unit, slave.truth()});
        return all;
    }

private:
    Framing framing_;
    std::map<std::uint8_t, Slave> slaves_;
    std::map<std::uint8_t, FaultScript> scripts_;
    FaultScript all_;
    std::optional<std::vector<Plant::Arrival>> arrivals_;  // of a site that is watched
};

struct Place {
    std::shared_ptr<Slaves> slaves;
    std::shared_ptr<Listener> listener;
    std::shared_ptr<PacedPty> line;
    std::uint16_t port = 0;
};

}  // namespace

class Plant::State {
public:
    template <class Question>
    auto ask(Question question) {
        std::packaged_task<decltype(question())()> task(std::move(question));
        auto answer = task.get_future();
        asio::post(loop_, [&task] { task(); });
        return answer.get();
    }

    State() : busy_(loop_.get_executor()), thread_([this] { loop_.run(); }) {}
    ~State() {
        ask([this] {
            for (auto& [name, place] : places_) {
                if (place.listener) place.listener->stop();
                if (place.line) place.line->unplug();
            }
            return 0;
        });
        loop_.stop();
        thread_.join();
    }

    Place& place(const std::string& name) {
        const auto found = places_.find(name);
        expect(found != places_.end(), "a site of that name");
        return found->second;
    }

    void tick() {
        ticker_.expires_after(5ms);
        ticker_.async_wait([this](const std::error_code&) {
            stall_ = std::max<std::chrono::nanoseconds>(
                stall_, std::chrono::steady_clock::now() - ticker_.expiry());
            tick();
        });
    }

    asio::io_context loop_{1};
    asio::steady_timer ticker_{loop_};
    std::chrono::nanoseconds stall_{0};
    bool ticking_ = false;
    asio::executor_work_guard<asio::io_context::executor_type> busy_;
    std::map<std::string, Place> places_;
    std::thread thread_;
};

Plant::Plant() : state_(std::make_unique<State>()) {}
Plant::~Plant() = default;

std::uint16_t Plant::add_tcp(Site site, std::uint16_t port) {
    return state_->ask([&] {
        Place place;
        place.slaves = std::make_shared<Slaves>(site, Framing::tcp);
        place.listener = std::make_shared<Listener>(
            state_->loop_.get_executor(),
            [slaves = place.slaves](const Bytes& frame) { return slaves->answer(frame); });
        place.port = place.listener->listen(port);
        const std::uint16_t given = place.port;
        state_->places_[site.name] = std::move(place);
        return given;
    });
}

void Plant::add_rtu(Site site, std::string link, LineOptions options) {
    state_->ask([&] {
        Place place;
        place.slaves = std::make_shared<Slaves>(site, Framing::rtu);
        place.line = std::make_shared<PacedPty>(
            state_->loop_.get_executor(), std::move(link), options,
            [slaves = place.slaves](const Bytes& frame) { return slaves->answer(frame); });
        place.line->plug();
        state_->places_[site.name] = std::move(place);
        return 0;
    });
}

void Plant::set_fault(const std::string& site, std::uint8_t unit, Fault fault) {
    state_->ask([&] {
        state_->place(site).slaves->set_fault(unit, fault);
        return 0;
    });
}

std::uint64_t Plant::strikes(const std::string& site, std::uint8_t unit) {
    return state_->ask([&] { return state_->place(site).slaves->strikes(unit); });
}

void Plant::unplug(const std::string& site) {
    state_->ask([&] {
        Place& place = state_->place(site);
        if (place.line) place.line->unplug();
        if (place.listener) place.listener->stop();
        return 0;
    });
}

void Plant::plug(const std::string& site) {
    state_->ask([&] {
        Place& place = state_->place(site);
        if (place.line) place.line->plug();
        if (place.listener) place.listener->listen(place.port);
        return 0;
    });
}

void Plant::drop_connections(const std::string& site) {
    state_->ask([&] {
        state_->place(site).listener->drop_connections();
        return 0;
    });
}

std::uint64_t Plant::requests(const std::string& site, std::uint8_t unit) {
    return state_->ask([&] { return state_->place(site).slaves->requests(unit); });
}

void Plant::watch(const std::string& site) {
    state_->ask([&] {
        state_->place(site).slaves->watch();
        return 0;
    });
}

std::vector<Plant::Arrival> Plant::arrivals(const std::string& site) {
    return state_->ask([&] { return state_->place(site).slaves->arrivals(); });
}

std::vector<WriteSeen> Plant::writes(const std::string& site, std::uint8_t unit) {
    return state_->ask([&] { return state_->place(site).slaves->slave(unit).writes(); });
}

std::uint16_t Plant::holding(const std::string& site, std::uint8_t unit, std::uint16_t address) {
    return state_->ask([&]() -> std::uint16_t {
        return state_->place(site).slaves->slave(unit).holding(address);
    });
}

void Plant::set_holding(const std::string& site, std::uint8_t unit, std::uint16_t address,
                        std::uint16_t word) {
    state_->ask([&] {
        state_->place(site).slaves->slave(unit).holding(address) = word;
        return 0;
    });
}

bool Plant::coil(const std::string& site, std::uint8_t unit, std::uint16_t address) {
    return state_->ask([&] { return state_->place(site).slaves->slave(unit).coil(address) != 0; });
}

std::uint64_t Plant::connections_accepted(const std::string& site) {
    return state_->ask([&] { return state_->place(site).listener->accepted(); });
}

std::uint64_t Plant::silence_violations(const std::string& site) {
    return state_->ask([&] { return state_->place(site).line->silence_violations(); });
}

std::chrono::nanoseconds Plant::longest_stall() {
    return state_->ask([&] {
        if (!std::exchange(state_->ticking_, true)) state_->tick();
        return std::exchange(state_->stall_, std::chrono::nanoseconds(0));
    });
}

std::vector<Plant::Truth> Plant::truth(const std::string& site) {
    return state_->ask([&] { return state_->place(site).slaves->truth(); });
}

}  // namespace fieldgate::lab
