#pragma once
#include <memory>
#include <string>
#include <utility>

#include "base/task_group.h"
#include "daemon/gate/requests.h"
#include "tests/daemon/config/site.h"
#include "tests/daemon/site/make.h"
#include "tests/storage/loop.h"

namespace fieldgate::test {

inline constexpr const char* gate_meter = "64f0a1b2c3d4e5f607182931_METER-1";

/// The example site with `write: true`, whatever else `edit` makes of its files.
inline Config gate_config() {
    Site site;
    site.replace("fieldgate.yaml", "write: false", "write: true");
    return *site.load().config;
}

inline northbound::Request set_request(const std::string& id, const std::string& value = "16") {
    northbound::SetProperties ask;
    ask.services.push_back({"Electrical", {{"currentLimit", *json::parse(value)}}});
    return {id, gate_meter, std::move(ask), id + '=' + value};
}

inline northbound::Request get_request(const std::string& id) {
    return {id, gate_meter, northbound::GetProperties{}, id};
}

/// The gate as one life of the daemon has it: with a real control store, without wires and cloud.
class Gate {
public:
    /// `opened`: nothing comes before the store is open.
    Gate(storage::Loop& loop, const Config& config, const std::string& folder, bool opened = true)
        : site_(make(config)),
          loop_(loop),
          clock_(Utc()),
          store_(loop.loop.get_executor(), folder, std::chrono::milliseconds(5)),
          orders_(loop.loop.get_executor()),
          requests_(loop.loop.get_executor(), site_, clock_, store_,
                    [this](const std::string&) { return &orders_; }),
          flows_(loop.loop.get_executor()) {
        store_.open();
        if (opened) loop_.run(store_.opened());
        requests_.answers().open();
    }
    /// What waits for the disk is written. A death is copy_at_rest() before it.
    ~Gate() { loop_.run(end()); }
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    void take(northbound::Request request, Instant now) {
        std::optional<Order> acts = requests_.take(std::move(request), now);
        if (acts) flows_.spawn("note", requests_.note(std::move(*acts)));
    }
    /// One answer; the loop runs until there is one.
    Answers::Ready next() {
        std::optional<Answers::Ready> ready = loop_.run(requests_.answers().next());
        requests_.answers().sent(ready->rank);
        return std::move(ready.value());
    }
    /// The next order of the meter's bus.
    Order order() {
        std::optional<Order> order;
        while (!order) order = loop_.run(orders().next());
        return std::move(*order);
    }

    Orders& orders() { return orders_; }
    Requests& requests() { return requests_; }
    storage::ControlStore& store() { return store_; }
    TaskGroup& flows() { return flows_; }

private:
    asio::awaitable<void> end() {
        co_await flows_.stop();
        co_await store_.close();
    }

    SitePtr site_;
    storage::Loop& loop_;
    EventClock clock_;
    storage::ControlStore store_;
    Orders orders_;  // of whatever bus
    Requests requests_;
    TaskGroup flows_;
};

inline int code_of(const northbound::Answer& answer) {
    if (const auto* set = std::get_if<northbound::SetAnswer>(&answer)) return set->code;
    if (const auto* call = std::get_if<northbound::CallAnswer>(&answer)) return call->code;
    return northbound::result_code::success;
}

}  // namespace fieldgate::test
