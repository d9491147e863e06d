// What answers and refusals teach about reading a device, and who is told.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "southbound/bus_state.h"

namespace fieldgate::southbound {
namespace {

using modbus::Lessons;

constexpr auto search_told_after = std::chrono::seconds(30);
constexpr std::size_t told_at_once = 8;  // the rest is in the status

template <class Lesson>
std::vector<Lesson> without(const std::vector<Lesson>& lessons, const std::vector<Lesson>& known) {
    std::vector<Lesson> rest;
    std::ranges::copy_if(lessons, std::back_inserter(rest), [&](const Lesson& lesson) {
        return std::ranges::find(known, lesson) == known.end();
    });
    return rest;
}

// That it was asked once more is no news.
Lessons without_times(Lessons lessons) {
    for (Lessons::Refusal& refusal : lessons.refused) refusal.times = 1;
    return lessons;
}

std::string text_of(const Lessons& lessons) {
    const std::vector<std::string> lines = describe(lessons);
    std::string text;
    for (std::size_t i = 0; i < std::min(lines.size(), told_at_once); ++i)
        text += (i > 0 ? ", " : "") + lines[i];
    if (lines.size() > told_at_once)
        text += " and " + std::to_string(lines.size() - told_at_once) + " more";
    return text;
}

}  // namespace

void Bus::State::learn(Device& device, const Schedule::Due& due, const Result<Reply>& reply) {
    if (due.probe) {
        if (reply) device.plan.alive();
        return;
    }
    bool replanned = false;
    if (reply)
        replanned = device.plan.answered(due.scan);
    else if (reply.error().code == Errc::refused)
        replanned = device.plan.refused(due.scan, reply.error().detail);
    else if (reply.error().code == Errc::bad_data)
        replanned = device.plan.untrue(due.scan);
    else if (reply.error().code == Errc::timeout || reply.error().code == Errc::closed)
        replanned = device.plan.timed_out(due.scan);
    const Instant now = Instant::clock::now();
    if (replanned) {
        schedule_.set(due.device, device.settings.offline, modbus::timings(device.plan.scans()),
                      now);
        device.tell_by = std::min(device.tell_by, now + search_told_after);
    }
    const bool to_tell = device.tell_by != Instant::max();
    if (to_tell && (!device.plan.searching() || now >= device.tell_by)) tell_lessons(device);
}

// By address, and once: when it is known what is at fault.
void Bus::State::tell_lessons(Device& device) {
    device.tell_by = Instant::max();
    const Lessons now = without_times(device.plan.lessons());
    const Lessons before = std::exchange(device.told, now);
    Lessons fresh, gone;
    fresh.refused = without(now.refused, before.refused);
    fresh.longest = without(now.longest, before.longest);
    fresh.edges = without(now.edges, before.edges);
    gone.refused = without(before.refused, now.refused);
    if (!fresh.empty())
        log::warning("the device does not give all that it is asked for",
                     {{"bus", settings_.name},
                      {"device", device.settings.name},
                      {"registers", text_of(fresh)}});
    else if (!gone.empty())
        log::notice("the device gives again what it did not give",
                    {{"bus", settings_.name},
                     {"device", device.settings.name},
                     {"registers", text_of(gone)}});
}

void Bus::State::teach(DeviceRef device, Lessons lessons) {
    taught_.emplace_back(device, std::move(lessons));
    wake_.notify();
}

// Told when they were learned; status shows them.
void Bus::State::apply_lessons(Instant now) {
    for (const auto& [ref, lessons] : std::exchange(taught_, {})) {
        const DevicePtr device = find(ref);
        if (!device || !device->plan.teach(lessons)) continue;
        device->told = without_times(device->plan.lessons());
        schedule_.set(device->slot, device->settings.offline, modbus::timings(device->plan.scans()),
                      now);
    }
}

void Bus::teach(DeviceRef device, Lessons lessons) { state_->teach(device, std::move(lessons)); }
void Bus::expect_latency(std::chrono::nanoseconds latency) { state_->expect_latency(latency); }

}  // namespace fieldgate::southbound
