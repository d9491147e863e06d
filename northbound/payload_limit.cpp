#include "northbound/payload_limit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "northbound/suspicion.h"

namespace fieldgate::northbound {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t greeting_bytes = 256;  // every connect begins with as much (sdk_info)
constexpr int links_of_a_doubt = 2;
constexpr std::size_t deaths_of_a_proof = 3;
constexpr int deaths_of_a_record = 2;
constexpr Instant::duration pause_first = 10min;
constexpr Instant::duration pause_longest = 24h;

}  // namespace

std::size_t PayloadLimit::taken() const { return std::max(taken_, greeting_bytes); }

// Close enough: what is gained by another lost link is less than a quarter.
bool PayloadLimit::narrow() const { return *died_ <= taken() + taken() / 4; }

std::size_t PayloadLimit::bytes() const {
    if (!died_ || again_) return configured_;
    if (narrow()) return std::min(configured_, taken());
    const double middle = std::sqrt(static_cast<double>(taken()) * static_cast<double>(*died_));
    return std::min(configured_, static_cast<std::size_t>(middle));
}

void PayloadLimit::acknowledged(std::size_t bytes) {
    taken_ = std::max(taken_, bytes);
    ever_ = std::max(ever_, bytes);
    if (links_ > 0 && taken_ >= smallest_) links_ = 0;  // what may have killed them is taken
    passed_ = std::max(passed_, bytes);
    if (shrunk_links_ > 0 && bytes >= shrunk_) shrunk_links_ = 0;
    if (died_ && taken_ >= *died_) forget();
}

void PayloadLimit::forget() {
    taken_ = ever_;
    died_.reset();
    alone_ = again_ = suspected_ = false;
    links_ = kinds_ = 0;
    deaths_.clear();
    certain_.reset();
    pause_ = {};
    told_.reset();
    told_records_ = false;
}

void PayloadLimit::link_lost(const std::vector<Flight>& in_flight, Instant now) {
    suspected_ = false;
    const std::size_t passed = passed_;
    if (shrunk_links_ == 0) passed_ = 0;
    std::optional<std::size_t> larger;
    for (const Flight& flight : in_flight) {
        if (now - flight.since > Suspicion::prompt) return;  // a broker that hangs, a dead network
        if (flight.bytes > taken()) larger = std::min(larger.value_or(flight.bytes), flight.bytes);
    }
    if (!larger) return smaller_lost(in_flight, passed, now);
    suspected_ = true;
    if (died_ && in_flight.size() == 1) return died_alone(*larger, now);
    smallest_ = links_ == 0 ? *larger : std::min(smallest_, *larger);
    if (++links_ < links_of_a_doubt) return;
    died(alone_ ? std::max(smallest_, *died_) : smallest_, now);
}

// Links die without it; or the platform takes less than it did: then smaller ones pass.
void PayloadLimit::smaller_lost(const std::vector<Flight>& in_flight, std::size_t passed,
                                Instant now) {
    std::size_t largest = 0;
    for (const Flight& flight : in_flight) largest = std::max(largest, flight.bytes);
    links_ = 0;
    if (passed == 0 || largest <= std::max(passed, greeting_bytes)) {
        shrunk_links_ = 0;
        passed_ = 0;
        if (!alone_) forget();
        return;
    }
    shrink(largest, passed, now);
}

void PayloadLimit::unanswered(const std::vector<Flight>& in_flight, Instant now) {
    suspected_ = false;
    const std::size_t passed = std::exchange(passed_, 0);
    std::size_t smallest = std::numeric_limits<std::size_t>::max();
    for (const Flight& flight : in_flight) smallest = std::min(smallest, flight.bytes);
    if (in_flight.empty() || passed == 0 || smallest <= std::max(passed, greeting_bytes)) {
        shrunk_links_ = 0;  // a broker that hangs
        return;
    }
    if (doubtful(smallest) && in_flight.size() == 1) return died_alone(smallest, now);
    shrink(smallest, passed, now);
}

void PayloadLimit::shrink(std::size_t bytes, std::size_t passed, Instant now) {
    shrunk_ = shrunk_links_ == 0 ? bytes : std::min(shrunk_, bytes);
    passed_ = passed;
    if (++shrunk_links_ < links_of_a_doubt) return;
    forget();
    taken_ = std::exchange(passed_, 0);
    shrunk_links_ = 0;
    died(shrunk_, now);
}

// What was in flight with the guilty one before this is innocent until it dies alone.
void PayloadLimit::died_alone(std::size_t bytes, Instant now) {
    if (!alone_) died_ = bytes;
    alone_ = true;
    died(bytes, now);
}

void PayloadLimit::died(std::size_t bytes, Instant now) {
    if (!died_ || again_ || pause_ == Instant::duration()) {
        pause_ = std::clamp(pause_ * 2, pause_first, pause_longest);
        again_at_ = now + pause_;
    }
    again_ = false;
    died_ = std::min(died_.value_or(bytes), bytes);
}

// A death is a witness against what is as large or larger, not against what is smaller: the proof
// is as large as the largest of its witnesses. Of one record two are heard;
// only one where as much was taken before.
void PayloadLimit::record_died(std::size_t bytes, bool another) {
    if (!died_ || bytes <= taken()) return;
    if (another || kinds_ == 0) ++kinds_;
    const auto same = [&](const Death& death) { return death.kind == kinds_; };
    const int heard = taken_once(bytes) ? 1 : deaths_of_a_record;
    if (std::count_if(deaths_.begin(), deaths_.end(), same) >= heard) return;
    const auto smaller = [](const Death& one, const Death& two) { return one.bytes < two.bytes; };
    const Death death{bytes, kinds_};
    deaths_.insert(std::upper_bound(deaths_.begin(), deaths_.end(), death, smaller), death);
    if (deaths_.size() > deaths_of_a_proof) deaths_.pop_back();
    if (deaths_.size() == deaths_of_a_proof) certain_ = deaths_.back().bytes;
}

void PayloadLimit::look(Instant now) {
    if (died_ && now >= again_at_) again_ = true;
}

std::optional<PayloadLimit::Lesson> PayloadLimit::lesson() {
    if (!died_ || again_ || !alone_ || !(narrow() || certain_)) return std::nullopt;
    if (told_ == died_ && told_records_ == certain_.has_value()) return std::nullopt;
    told_ = died_;
    told_records_ = certain_.has_value();
    return Lesson{taken(), *died_, certain_.has_value()};
}

}  // namespace fieldgate::northbound
