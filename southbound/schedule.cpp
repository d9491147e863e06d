#include "southbound/schedule.h"

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

#include "base/expect.h"

namespace fieldgate::southbound {

bool Schedule::Entry::operator>(const Entry& other) const {
    return std::tie(at, device, scan) > std::tie(other.at, other.device, other.scan);
}

void Schedule::set(std::size_t device, const OfflinePolicy& policy, std::span<const Timing> scans,
                   Instant now) {
    expect(device <= devices_.size(), "devices to be added in order");
    if (device == devices_.size()) devices_.emplace_back();
    Device& d = devices_[device];
    d.policy = policy;

    const std::vector<Slot> before = std::exchange(d.scans, {});
    d.scans.reserve(scans.size());
    for (const Timing& timing : scans) {
        expect(timing.period.count() > 0, "a period");
        const auto same = [&](const Slot& slot) {
            return slot.timing.key == timing.key && slot.timing.period == timing.period;
        };
        const auto old = std::find_if(before.begin(), before.end(), same);
        const Instant tick = last_tick(timing.period, now);
        Slot slot{timing, timing.at_once ? tick : tick + timing.period};
        if (old != before.end()) slot = *old;
        d.scans.push_back(slot);
    }
    scans_ = scans_ + d.scans.size() - before.size();
    if (d.probe >= d.scans.size()) d.probe = 0;
    ++d.generation;
    push_all(device);
}

void Schedule::drop(std::size_t device) {
    Device& d = devices_[device];
    scans_ -= d.scans.size();
    const std::uint32_t generation = d.generation + 1;
    d = Device();
    d.generation = generation;
}

std::optional<Schedule::Due> Schedule::take(Instant now) {
    drop_void();
    if (queue_.empty() || queue_.front().at > now) return std::nullopt;
    const Entry entry = queue_.front();
    pop();
    if (devices_[entry.device].status == DeviceStatus::offline) return take_probe(entry.device);
    return take_scan(entry.device, entry.scan, now);
}

Schedule::Due Schedule::take_probe(std::size_t device) {
    Device& d = devices_[device];
    // What is asked for now and then has its reason for that; unless there is nothing else.
    for (std::size_t tries = 0; tries < d.scans.size() && !d.scans[d.probe].timing.at_once; ++tries)
        d.probe = (d.probe + 1) % d.scans.size();
    Due due{device, d.probe, d.probe_at, 0, true};
    d.probe = (d.probe + 1) % d.scans.size();
    return due;
}

Schedule::Due Schedule::take_scan(std::size_t device, std::size_t scan, Instant now) {
    Slot& slot = devices_[device].scans[scan];
    const std::chrono::milliseconds period = slot.timing.period;
    const Instant tick = last_tick(period, now);
    if (tick > slot.at) overruns_ += static_cast<std::uint64_t>((tick - slot.at) / period);
    const auto number = static_cast<std::uint64_t>((tick - start_) / period);
    slot.at = tick + period;
    push(device, scan, std::max(slot.at, devices_[device].held_until));
    return {device, scan, tick, number, false, slot.tries};
}

std::optional<DeviceStatus> Schedule::done(const Due& due, bool answered, Instant now) {
    Device& d = devices_[due.device];
    const DeviceStatus before = d.status;
    if (!due.probe && due.scan < d.scans.size()) {
        d.scans[due.scan].failed = !answered;
        d.scans[due.scan].tries = 0;
    }
    if (answered) {
        d.failures = 0;
        if (!due.probe) d.pause = std::chrono::milliseconds(0);
        d.status = DeviceStatus::online;
        if (before == DeviceStatus::offline) {
            resume(d, now);
            push_all(due.device);
        }
    } else {
        ++d.failures;
        if (before == DeviceStatus::offline) {
            go_offline(d, now);
            push_all(due.device);
        } else if (d.failures >= std::max(d.policy.after, 1U)) {
            go_offline(d, now);
            push_all(due.device);
        }
    }
    if (d.status == before) return std::nullopt;
    return d.status;
}

void Schedule::done_for_nothing(const Due& due) {
    Device& d = devices_[due.device];
    if (due.scan >= d.scans.size()) return;
    d.scans[due.scan].failed = true;
    d.scans[due.scan].tries = 0;
}

void Schedule::again(const Due& due) {
    Device& d = devices_[due.device];
    if (due.scan >= d.scans.size()) return;
    d.scans[due.scan].at = due.at;
    d.scans[due.scan].tries = due.tries + 1;
    ++d.generation;
    push_all(due.device);
}

void Schedule::hold(std::size_t device, Instant until) {
    Device& d = devices_[device];
    if (until <= d.held_until) return;
    d.held_until = until;
    ++d.generation;
    push_all(device);
}

void Schedule::hurry(std::size_t device, std::size_t scan, Instant now) {
    Device& d = devices_[device];
    if (d.status == DeviceStatus::offline || d.scans[scan].at <= now) return;
    d.scans[scan].at = now;
    ++d.generation;
    push_all(device);
}

void Schedule::hurry_all(Instant now) {
    for (std::size_t device = 0; device < devices_.size(); ++device) {
        Device& d = devices_[device];
        if (d.status == DeviceStatus::offline) continue;
        for (Slot& slot : d.scans)
            if (slot.timing.at_once) slot.at = std::min(slot.at, now);
        ++d.generation;
        push_all(device);
    }
}

void Schedule::forgive(Instant now) {
    for (std::size_t device = 0; device < devices_.size(); ++device) {
        Device& d = devices_[device];
        for (Slot& slot : d.scans) slot.at = std::max(slot.at, last_tick(slot.timing.period, now));
        ++d.generation;
        push_all(device);
    }
}

void Schedule::ask_all(Instant now) {
    for (std::size_t device = 0; device < devices_.size(); ++device) {
        Device& d = devices_[device];
        if (d.status != DeviceStatus::offline) continue;
        d.pause = std::chrono::milliseconds(0);
        go_offline(d, now);
        d.probe_at = now;
        push_all(device);
    }
}

void Schedule::go_offline(Device& device, Instant now) {
    device.status = DeviceStatus::offline;
    const OfflinePolicy& policy = device.policy;
    const bool anew = device.pause == std::chrono::milliseconds(0);
    device.pause = anew ? policy.probe_from
                        : std::min(device.pause * 2, std::max(policy.probe_to, policy.probe_from));
    device.probe_at = now + device.pause;
    ++device.generation;
}

// A tick that passed while the device was away was not the wire's fault: it is no overrun. What has
// its turn still to come keeps it, unless its last attempt belongs to the outage.
void Schedule::resume(Device& device, Instant now) {
    for (Slot& slot : device.scans) {
        const Instant tick = last_tick(slot.timing.period, now);
        slot.at = slot.failed ? tick : std::max(slot.at, tick);
    }
    ++device.generation;
}

std::optional<Instant> Schedule::next() {
    drop_void();
    if (queue_.empty()) return std::nullopt;
    return queue_.front().at;
}

Instant Schedule::last_tick(std::chrono::milliseconds period, Instant now) const {
    if (now <= start_) return start_;
    return start_ + (now - start_) / period * period;
}

void Schedule::push_all(std::size_t device) {
    const Device& d = devices_[device];
    if (d.scans.empty()) return;
    const auto due = [&](Instant at) { return std::max(at, d.held_until); };
    if (d.status == DeviceStatus::offline) {
        push(device, 0, due(d.probe_at));
        return;
    }
    for (std::size_t scan = 0; scan < d.scans.size(); ++scan)
        push(device, scan, due(d.scans[scan].at));
}

void Schedule::push(std::size_t device, std::size_t scan, Instant at) {
    // Devices that come and go leave void entries of long periods behind; they do not pile up.
    if (queue_.size() > 2 * scans_ + 64) {
        std::erase_if(queue_, [this](const Entry& entry) { return is_void(entry); });
        std::make_heap(queue_.begin(), queue_.end(), std::greater<>());
    }
    queue_.push_back({at, device, scan, devices_[device].generation});
    std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
}

void Schedule::pop() {
    std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
    queue_.pop_back();
}

bool Schedule::is_void(const Entry& entry) const {
    return entry.generation != devices_[entry.device].generation;
}

void Schedule::drop_void() {
    while (!queue_.empty() && is_void(queue_.front())) pop();
}

}  // namespace fieldgate::southbound
