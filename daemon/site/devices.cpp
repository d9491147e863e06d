#include "daemon/site/devices.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <random>

#include "base/pulse.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

using northbound::SubDeviceStatus;

constexpr std::size_t why_bytes_max = 200;

// What the platform gives as its reason, cut between two characters.
std::string reason(const northbound::StatusResponse::Failure& failure) {
    std::string why = failure.code;
    if (!failure.message.empty()) why += (why.empty() ? "" : " ") + failure.message;
    if (why.size() <= why_bytes_max) return why;
    std::size_t end = why_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(why[end]) & 0xC0U) == 0x80U) --end;
    return why.substr(0, end);
}

}  // namespace

Devices::Devices(const asio::any_io_executor& loop)
    : chance_(std::random_device()()), change_(loop) {}

Devices::Entry& Devices::entry_of(DeviceIndex device, const std::string& device_id) {
    if (device >= entries_.size()) entries_.resize(device + 1);
    Entry& entry = entries_[device];
    entry.device_id = device_id;
    entry.index = device;
    by_id_.try_emplace(entry.device_id, device);
    return entry;
}

void Devices::put(DeviceIndex device, const std::string& device_id) {
    Entry& entry = entry_of(device, device_id);
    entry.here = true;
    entry.leaving = false;
}

void Devices::owe(DeviceIndex device, const std::string& device_id) {
    Entry& entry = entry_of(device, device_id);
    if (entry.here) return;
    entry.leaving = true;
    entry.now = DeviceStatus::offline;
    change_.notify();
}

std::set<std::string> Devices::owed() const {
    std::set<std::string> ids;
    for (const Entry& entry : entries_)
        if (entry.leaving) ids.insert(entry.device_id);
    return ids;
}

void Devices::drop(DeviceIndex device) {
    Entry& entry = entries_[device];
    if (!entry.here) return;
    entry.here = false;
    entry.leaving = true;
    entry.now = DeviceStatus::offline;
    // To whom it was never told, or who does not take it anyway, there is nothing to say.
    if (entry.told == DeviceStatus::unknown) leave(entry);
    change_.notify();
}

void Devices::leave(Entry& entry) {
    refusals_.erase(entry.index);
    entry.leaving = false;
    entry.now = entry.told = DeviceStatus::unknown;
    entry.word = Word::none;
    entry.ask = 0;
}

void Devices::set(DeviceIndex device, DeviceStatus status) {
    if (!entries_[device].here || entries_[device].now == status) return;
    entries_[device].now = status;
    change_.notify();
}

std::size_t Devices::count(DeviceStatus status) const {
    const auto is = [&](const Entry& entry) { return entry.here && entry.now == status; };
    return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), is));
}

std::string Devices::platform(DeviceIndex device) const {
    if (const Refusal* no = refusal(device)) return "refused: " + no->why;
    switch (entries_[device].word) {
        case Word::asked:
            return "asked";
        case Word::told:
            return "told";
        case Word::accepted:
            return "accepted";
        case Word::none:
        case Word::refused:
            break;
    }
    return "unknown";
}

template <class Wanted>
std::vector<SubDeviceStatus> Devices::those(const Wanted& wanted) const {
    std::vector<SubDeviceStatus> statuses;
    for (const Entry& entry : entries_)
        if (is_of_interest(entry) && wanted(entry))
            statuses.push_back({entry.device_id, entry.now});
    return statuses;
}

std::vector<SubDeviceStatus> Devices::all() const {
    return those([](const Entry& entry) { return entry.now != DeviceStatus::unknown; });
}

bool Devices::is_untold(const Entry& entry) const {
    return entry.word != Word::refused && entry.now != entry.told;
}

std::vector<SubDeviceStatus> Devices::due(Instant now) const {
    std::size_t again = now < again_at_ || refusals_.empty() ? 0 : again_at_once;
    return those([&](const Entry& entry) {
        if (entry.word != Word::refused) return is_untold(entry);
        if (again == 0 || entry.now == DeviceStatus::unknown) return false;
        const bool wanted = refusal(entry.index)->again <= now;
        again -= wanted ? 1 : 0;
        return wanted;
    });
}

std::vector<SubDeviceStatus> Devices::arrived() const {
    return those(
        [&](const Entry& entry) { return entry.now == DeviceStatus::online && is_untold(entry); });
}

std::vector<SubDeviceStatus> Devices::all_offline() const {
    std::vector<SubDeviceStatus> statuses = those([](const Entry&) { return true; });
    for (SubDeviceStatus& status : statuses) status.status = DeviceStatus::offline;
    return statuses;
}

Devices::Entry* Devices::find(std::string_view device_id) {
    const auto found = by_id_.find(device_id);
    if (found == by_id_.end() || !is_of_interest(entries_[found->second])) return nullptr;
    return &entries_[found->second];
}

const Devices::Refusal* Devices::refusal(DeviceIndex device) const {
    const auto found = refusals_.find(device);
    return found == refusals_.end() ? nullptr : &found->second;
}

// It is as if it had not been told.
void Devices::forget(Entry& entry) {
    entry.told = DeviceStatus::unknown;
    entry.word = refusal(entry.index) ? Word::refused : Word::none;
    entry.ask = 0;
}

void Devices::connected() {
    asks_.clear();
    for (Entry& entry : entries_)
        if (entry.word == Word::asked) forget(entry);
}

std::string Devices::ask(const std::vector<SubDeviceStatus>& statuses, Instant now) {
    const std::uint64_t number = ++asks_made_;
    std::array<char, 37> id{};  // as a UUID looks
    std::snprintf(id.data(), id.size(), "%08" PRIx32 "-0000-4000-8000-%012" PRIx64, chance_,
                  number & 0xFFFFFFFFFFFFU);
    asks_.push_back({number, id.data(), Instant::max()});
    for (const SubDeviceStatus& status : statuses) {
        Entry* entry = find(status.device_id);
        if (!entry) continue;
        entry->told = status.status;
        entry->word = Word::asked;
        entry->ask = number;
        const auto refused = refusals_.find(entry->index);
        if (refused == refusals_.end()) continue;
        refused->second.again = now + refused->second.pause;
        again_at_ = now + again_apart;
    }
    return asks_.back().event_id;
}

void Devices::acknowledged(const std::string& event_id, Instant now) {
    for (Ask& ask : asks_) {
        if (ask.event_id != event_id) continue;
        ask.until = now + answer_within;
        for (Entry& entry : entries_)
            if (entry.ask == ask.number && is_told_gone(entry)) leave(entry);
    }
}

void Devices::lost(const std::string& event_id) {
    const auto ask = std::find_if(asks_.begin(), asks_.end(),
                                  [&](const Ask& one) { return one.event_id == event_id; });
    if (ask == asks_.end()) return;
    for (Entry& entry : entries_)
        if (entry.ask == ask->number && entry.word == Word::asked) forget(entry);
    asks_.erase(ask);
}

// What is said to a request that was overtaken by another one about the same device says nothing.
Devices::News Devices::hear(const northbound::StatusResponse& response, Instant now) {
    News news;
    const auto ask = std::find_if(asks_.begin(), asks_.end(), [&](const Ask& one) {
        return one.event_id == response.event_id;
    });
    if (ask == asks_.end()) return news;
    for (const std::string& device_id : response.successes) {
        Entry* entry = find(device_id);
        if (!entry || entry->ask != ask->number) continue;
        if (is_told_gone(*entry)) {
            leave(*entry);
            continue;
        }
        entry->word = Word::accepted;
        if (refusals_.erase(entry->index) > 0) news.accepted.push_back(device_id);
    }
    for (const auto& failure : response.failures) {
        Entry* entry = find(failure.device_id);
        if (!entry || entry->ask != ask->number) continue;
        if (!entry->leaving && !refusal(entry->index)) news.refused.push_back(failure);
        refuse(*entry, reason(failure), now);
    }
    return news;
}

void Devices::refuse(Entry& entry, std::string why, Instant now) {
    if (entry.leaving) return leave(entry);
    const auto [refused, first] = refusals_.try_emplace(entry.index);
    Refusal& no = refused->second;
    no.why = std::move(why);
    no.pause = first ? again_first : std::min<Instant::duration>(2 * no.pause, again_longest);
    no.again = now + no.pause;
    forget(entry);
}

void Devices::added(const std::vector<std::string>& device_ids) {
    for (const std::string& device_id : device_ids) {
        Entry* entry = find(device_id);
        if (!entry) continue;
        forget(*entry);
        entry->word = Word::none;
        const auto refused = refusals_.find(entry->index);
        if (refused != refusals_.end()) refused->second.pause = again_first / 2;
    }
    change_.notify();
}

void Devices::deleted(const std::vector<std::string>& device_ids, Instant now) {
    for (const std::string& device_id : device_ids)
        if (Entry* entry = find(device_id)) refuse(*entry, "deleted on the platform", now);
}

void Devices::look(Instant now) {
    std::erase_if(asks_, [&](const Ask& ask) {
        if (ask.until > now) return false;
        for (Entry& entry : entries_) {
            if (entry.ask != ask.number || entry.word != Word::asked) continue;
            // It does say something as a rule if it has refused the device: that stands.
            if (refusal(entry.index))
                forget(entry);
            else
                entry.word = Word::told;
        }
        return true;
    });
}

asio::awaitable<bool> Devices::changed() {
    const bool notified = co_await change_.wait_until(Event::Clock::now() + longest_wait);
    co_return notified;
}

}  // namespace fieldgate
