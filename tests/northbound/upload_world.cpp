#include "tests/northbound/upload_world.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fieldgate::northbound {
namespace {

const std::string world_gateway = "gw";

}  // namespace

std::vector<int> World::larger_than(std::size_t limit, int records) const {
    std::vector<int> larger;
    for (int number = 1; number <= records; ++number)
        if (bytes_alone(number) > limit) larger.push_back(number);
    return larger;
}

Record World::record(int number) const {
    Record made;
    made.series = 0;
    made.at = Utc(std::chrono::milliseconds(number));
    made.properties = "{" + std::string(size_(number) - 2, ' ') + "}";
    return made;
}

std::size_t World::bytes_alone(int number) const {
    const PayloadLimit any{limits_.payload_bytes};
    Parcel parcel(limits_, any, series_, world_gateway);
    parcel.add(record(number));
    return parcel.payload_bytes();
}

void World::lose() {
    const std::vector<PayloadLimit::Flight> flying = std::exchange(flying_, {});
    if (silent_)
        sizes_.unanswered(flying, now_);
    else
        sizes_.link_lost(flying, now_);
}

bool World::others(int count) {
    for (int i = 0; i < count; ++i)
        if (!send(nullptr)) {
            lose();
            return false;
        }
    return true;
}

bool World::send(const Parcel* parcel) {
    Message message;
    message.parcel = parcel;
    message.bytes = parcel ? parcel->payload_bytes() : status_bytes;
    message.nth = ++sent_;
    message.age = now_ - since_;
    const Instant left = now_;
    const Fate fate = broker_(message);
    silent_ = fate == Fate::silence;
    now_ += fate == Fate::silence ? 20s : round_trip;
    if (fate == Fate::acknowledged)
        sizes_.acknowledged(message.bytes);
    else
        flying_.push_back({message.bytes, left});
    return fate == Fate::acknowledged;
}

Parcel World::next(std::size_t from) const {
    Parcel parcel(limits_, sizes_, series_, world_gateway, link_bytes);
    for (; from < waiting_.size() && parcel.records() < 40; ++from)
        if (suspicion_.add(parcel, record(waiting_[from])) != Fit::taken) break;
    return parcel;
}

void World::settle(const Parcel& parcel, bool acknowledged) {
    if (acknowledged)
        suspicion_.acknowledged(parcel);
    else
        suspicion_.settled(parcel);
    waiting_.erase(waiting_.begin(),
                   waiting_.begin() + static_cast<std::ptrdiff_t>(parcel.records()));
}

void World::link() {
    now_ += 1s;
    since_ = now_;
    sent_ = 0;
    if (!others(2)) return;  // sdk_info, status
    suspicion_.connected(now_);
    while (!waiting_.empty()) {
        sizes_.look(now_);
        const Parcel first = next(0);
        if (first.empty()) {  // never fits
            quarantined.push_back(waiting_.front());
            waiting_.pop_front();
            continue;
        }
        const auto trial = suspicion_.trial(first);
        if (trial ? try_alone(first, *trial) : window()) continue;
        // Until the loss is known, more is sent into the void.
        suspicion_.failed(next(std::min<std::size_t>(first.records(), waiting_.size() - 1)), now_);
        return;
    }
}

bool World::try_alone(const Parcel& parcel, const Suspicion::Trial& trial) {
    now_ = std::max(now_, trial.not_before);
    if (!others(trial.others)) return false;
    if (trial.guilty) {
        EXPECT_EQ(parcel.records(), 1U);
        if (sizes_.taken_once(parcel.payload_bytes())) sizes_.doubt();
        quarantined.push_back(waiting_.front());
        settle(parcel, false);
        return true;
    }
    suspicion_.tried(parcel, now_);
    if (send(&parcel)) {
        settle(parcel, true);
        return true;
    }
    const bool unanswered = silent_;
    const bool ignored = unanswered && send(nullptr);
    silent_ = unanswered;
    lose();
    suspicion_.failed(parcel, now_, ignored);
    return false;
}

bool World::window() {
    std::vector<Parcel> flying;
    std::size_t from = 0;
    for (int i = 0; i < 10 && from < waiting_.size(); ++i) {
        Parcel parcel = next(from);
        if (parcel.empty() || suspicion_.trial(parcel)) break;
        from += parcel.records();
        flying.push_back(std::move(parcel));
    }
    for (std::size_t i = 0; i < flying.size(); ++i) {
        if (send(&flying[i])) {
            settle(flying[i], true);
            continue;
        }
        for (std::size_t late = i + 1; late < flying.size(); ++late)
            flying_.push_back({flying[late].payload_bytes(), now_});
        lose();
        for (; i < flying.size(); ++i) suspicion_.failed(flying[i], now_);
        return false;
    }
    return true;
}

bool carries(const World::Message& message, const std::vector<int>& numbers) {
    if (message.parcel == nullptr) return false;
    for (const Parcel::Entry& entry : message.parcel->devices().front().entries)
        for (const int number : numbers)
            if (entry.at == Utc(std::chrono::milliseconds(number))) return true;
    return false;
}

}  // namespace fieldgate::northbound
