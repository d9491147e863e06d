#pragma once
// The inside of a Bus, for bus.cpp (what is read by the schedule) and bus_write.cpp (what somebody
// asks for).
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event.h"
#include "southbound/bus.h"
#include "southbound/bus_device.h"
#include "southbound/link.h"
#include "southbound/modbus/cost.h"
#include "southbound/modbus/encode.h"
#include "southbound/schedule.h"
#include "southbound/turns.h"

namespace fieldgate::southbound {

/// Asking again can help.
inline bool may_help(const Error& error) {
    return error.code == Errc::timeout || error.code == Errc::bad_data;
}

class Bus::State {
public:
    State(const asio::any_io_executor& loop, BusSettings settings,
          std::vector<DeviceSettings> devices);

    asio::awaitable<std::optional<Readings>> next();
    asio::awaitable<Result<Written>> write(DeviceRef device, PointIndex point, Value value,
                                           WriteHow how);
    asio::awaitable<Result<Readings>> read(DeviceRef wanted, std::vector<PointIndex> points);
    asio::awaitable<Result<std::vector<std::uint16_t>>> read_raw(std::uint8_t unit,
                                                                 modbus::Table table,
                                                                 std::uint16_t first,
                                                                 std::uint16_t count);
    void serve(std::vector<DeviceSettings> devices);
    void teach(DeviceRef device, modbus::Lessons lessons);
    void expect_latency(std::chrono::nanoseconds latency) { cost_.expect_latency(latency); }
    void suspend(Instant until);
    void resume();
    void scan_now();
    Result<void> set_period(std::optional<DeviceRef> wanted, std::chrono::milliseconds period,
                            Instant until, unsigned times);
    Ordered ordered() const;
    void take_over(const Ordered& ordered);
    BusStatus status() const;
    Instant turned() const;
    Instant served() const;
    const std::string& name() const { return settings_.name; }
    bool is_suspended() const { return suspended_until_.has_value(); }

private:
    using Device = BusDevice;
    /// Who asks something of a device holds it: it may leave the bus meanwhile.
    using DevicePtr = std::shared_ptr<Device>;
    using Target = WriteTarget;

    /// Somebody asks for the wire, has it, and is done when this ends.
    class Service {
    public:
        explicit Service(State& bus);
        ~Service();
        Service(const Service&) = delete;
        Service& operator=(const Service&) = delete;

    private:
        State& bus_;
    };

    asio::awaitable<std::optional<Readings>> scan(Schedule::Due due);
    void hold(std::uint8_t unit);
    asio::awaitable<void> until_ready(std::uint8_t unit, Instant not_after = Instant::max());
    asio::awaitable<Result<Reply>> transact(const Request& request);
    asio::awaitable<Result<Reply>> on_the_wire(const Request& request);
    std::chrono::milliseconds longest(std::chrono::milliseconds timeout) const;
    asio::awaitable<Result<Reply>> ask(const Request& request, int tries, Urgency urgency,
                                       bool insists = false);
    asio::awaitable<void> look_for_wire();
    void decode(Device& device, const Schedule::Due& due, const Reply& reply, Readings& readings);
    void finish(Device& device, const Schedule::Due& due, const Result<Reply>& reply,
                Readings& readings);
    void count(const Error& error);
    void note_wire(const Result<Reply>& reply);

    // bus_learn.cpp
    void learn(Device& device, const Schedule::Due& due, const Result<Reply>& reply);
    void tell_lessons(Device& device);
    void apply_lessons(Instant now);

    // bus_serve.cpp
    bool is_here(const Device& device) const { return devices_[device.slot].get() == &device; }
    Error no_device(DeviceRef device) const;
    void add(DeviceSettings settings, modbus::DevicePlan plan, Instant now);
    void keep(Device& device, DeviceSettings settings, Instant now);
    void apply_devices();
    void take_in(Instant now);

    // bus_operate.cpp
    Error suspended() const { return {Errc::busy, "bus " + settings_.name + " is suspended"}; }
    void apply_periods(Instant now);
    void take_over(Device& device);

    // bus_write.cpp
    DevicePtr find(DeviceRef device) const;
    Result<Target> target(DeviceRef wanted, PointIndex point) const;
    asio::awaitable<Result<Written>> put(const Target& target, const modbus::Image& image);
    asio::awaitable<Result<Request>> compose(const Target& target, const modbus::Image& wanted);
    asio::awaitable<Result<Written>> send(const Target& target, Request request);
    asio::awaitable<Result<Written>> send_or_instead(const Target& target,
                                                     const modbus::Image& image,
                                                     const Request& first);
    asio::awaitable<void> verify(const Target& target, const Value& wanted, Written& written);
    bool matches(const Target& target, const Reply& reply, const Value& wanted, Written& written);
    std::optional<Error> unreachable(const Device& device) const;
    asio::awaitable<std::optional<Error>> reach(const Target& target);
    void note_write(const Target& target);
    void hurry(const Target& target);

    BusSettings settings_;
    bool serial_;
    modbus::CostModel cost_;
    std::vector<DevicePtr> devices_;  // nullptr: a slot without one
    std::optional<std::vector<DeviceSettings>> serve_next_;
    std::vector<std::pair<DeviceRef, modbus::Lessons>> taught_;
    std::vector<DeviceSettings> coming_;         // served, not taken in yet; the next is the last
    std::vector<modbus::DevicePlan> new_plans_;  // made for some of these
    Schedule schedule_;
    std::unique_ptr<Link> link_;
    Turns turns_;
    Event wake_;  // next() sleeps on it
    BusStatus status_;
    bool known_ = false;  // whether status_.up says anything yet
    Instant next_look_{};
    std::optional<Instant> suspended_until_;
    std::vector<Ordered::Period> ordered_;     // of devices that are not here yet
    Instant periods_change_ = Instant::max();  // when next() is to look at them
    Instant turned_ = Instant::clock::now();
    Instant patient_until_{};  // by then the transaction in progress has ended
    Instant served_ = Instant::clock::now();
    Instant serve_until_{};  // by then whoever asks for the wire has had it
    std::size_t asking_ = 0;
    modbus::NoValues none_;
};

}  // namespace fieldgate::southbound
