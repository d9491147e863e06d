#include "northbound/suspicion.h"

#include <algorithm>

namespace fieldgate::northbound {
namespace {

constexpr int links_of_a_suspect = 2;
constexpr std::size_t cut = 8;

}  // namespace

std::set<Suspicion::Key> Suspicion::keys(const Parcel& parcel) {
    std::set<Key> all;
    for (const Parcel::Device& device : parcel.devices())
        for (const Parcel::Entry& entry : device.entries) all.emplace(entry.series, entry.at);
    return all;
}

bool Suspicion::suspect(Key key) const {
    const auto known = lost_with_.find(key);
    return known != lost_with_.end() && known->second >= links_of_a_suspect;
}

void Suspicion::acquit() {
    lost_with_.clear();
    records_max_ = std::numeric_limits<std::size_t>::max();
    strikes_ = 0;
    single_.reset();
}

void Suspicion::connected(Instant now) {
    sizes_.look(now);
    if (!on_trial_.empty())
        judge_trial();
    else
        judge_crowd();
    on_trial_.clear();
    failed_.clear();
    connected_at_ = now;
}

void Suspicion::judge_trial() {
    const bool late = failed_at_ - tried_at_ > prompt;
    const bool ignored = ignored_ && data_taken_ && !sizes_.taken_once(trial_bytes_);
    if (late && !ignored) return acquit();
    const bool single = on_trial_.size() == 1;
    const bool another = single && single_ != *on_trial_.begin();
    strikes_ = !single ? 0 : another ? 1 : strikes_ + 1;
    if (single) {
        single_ = *on_trial_.begin();
        sizes_.record_died(trial_bytes_, another);
    }
    records_max_ = std::max<std::size_t>(1, on_trial_.size() / cut);
    lost_with_.clear();
    for (const Key& key : on_trial_) lost_with_[key] = links_of_a_suspect;
}

void Suspicion::judge_crowd() {
    const std::map<Key, int> before = std::move(lost_with_);
    acquit();
    for (const Key& key : failed_) {
        const auto known = before.find(key);
        lost_with_[key] = known == before.end() ? 1 : known->second + 1;
    }
}

void Suspicion::tried(const Parcel& parcel, Instant now) {
    on_trial_ = keys(parcel);
    trial_bytes_ = parcel.payload_bytes();
    tried_at_ = now;
    ignored_ = false;
}

void Suspicion::failed(const Parcel& parcel, Instant now, bool ignored) {
    std::set<Key> lost = keys(parcel);
    // What is sent in the moment after the loss fails too; the one on trial was alone.
    if (!on_trial_.empty() && lost != on_trial_) return;
    failed_.merge(lost);
    failed_at_ = now;
    ignored_ |= ignored;
}

void Suspicion::settled(const Parcel& parcel) {
    on_trial_.clear();
    if (lost_with_.empty()) return;
    for (const Key& key : keys(parcel)) lost_with_.erase(key);
    if (lost_with_.empty()) acquit();
}

Fit Suspicion::add(Parcel& parcel, const Record& record) const {
    if (lost_with_.empty() || parcel.empty()) return parcel.add(record);
    const Parcel::Entry& first = parcel.devices().front().entries.front();
    const bool tried = suspect({first.series, first.at});
    if (tried != suspect({record.series, record.at})) return Fit::full;
    if (tried && parcel.records() >= records_max_) return Fit::full;
    return parcel.add(record);
}

std::optional<Suspicion::Trial> Suspicion::trial(const Parcel& parcel) const {
    if (parcel.empty()) return std::nullopt;
    const Parcel::Entry& first = parcel.devices().front().entries.front();
    const Key key{first.series, first.at};
    const bool large = sizes_.doubtful(parcel.payload_bytes());
    if (!suspect(key) && !large) return std::nullopt;
    const int strikes = parcel.records() == 1 && single_ == key ? strikes_ : 0;
    Trial trial;
    // One trial for each link: after a lost one the link is gone, known or not.
    trial.not_before = on_trial_.empty() ? connected_at_ + hold : Instant::max();
    trial.others = large ? std::max(1, strikes) : strikes;
    trial.guilty = strikes >= strikes_max;
    return trial;
}

}  // namespace fieldgate::northbound
