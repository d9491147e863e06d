#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "northbound/suspicion.h"

namespace fieldgate::northbound {

using namespace std::chrono_literals;

/// The upload flow in virtual time: a backlog in order, a window of ten, one lost link after
/// another. A broker decides for each message how the link fares with it.
class World {
public:
    enum class Fate : std::uint8_t { acknowledged, closed, silence };
    struct Message {
        const Parcel* parcel = nullptr;  ///< nullptr: not data (sdk_info, status)
        std::size_t bytes = 0;           ///< payload
        std::size_t nth = 0;             ///< on its link, from 1
        Instant::duration age{0};        ///< of the link
    };
    static constexpr auto round_trip = 50ms;
    using Broker = std::function<Fate(const Message&)>;

    using Size = std::function<std::size_t(int number)>;

    World(
        int records, Broker broker, Size size = [](int) { return 2; })
        : broker_(std::move(broker)), size_(std::move(size)) {
        for (int number = 1; number <= records; ++number) waiting_.push_back(number);
    }

    /// True: all records are acknowledged or in quarantine, after `links` at most.
    bool deliver(int links_max) {
        for (; !waiting_.empty() && links < links_max; ++links) link();
        return waiting_.empty();
    }
    /// Of `records` records, those that are more than `limit` even alone.
    std::vector<int> larger_than(std::size_t limit, int records) const;

    /// The properties are JSON of so many bytes.
    Record record(int number) const;
    /// Of a publish with this record alone.
    std::size_t bytes_alone(int number) const;
    const PayloadLimit& sizes() const { return sizes_; }

    std::size_t link_bytes = std::numeric_limits<std::size_t>::max();  ///< goodput.h
    std::vector<int> quarantined;
    int links = 0;
    Instant::duration elapsed() const { return now_ - Instant(); }

private:
    static constexpr std::size_t status_bytes = 200;

    void lose();

    // False: the link is gone.
    bool others(int count);
    bool send(const Parcel* parcel);
    Parcel next(std::size_t from) const;
    void settle(const Parcel& parcel, bool acknowledged);
    void link();
    bool try_alone(const Parcel& parcel, const Suspicion::Trial& trial);

    // Ten in flight; the link dies with the first that is not acknowledged and all behind it.
    bool window();

    Broker broker_;
    Size size_;
    SeriesTable series_ = [] {
        SeriesTable table;
        table.intern("meter", "Energy");
        return table;
    }();
    Limits limits_;
    PayloadLimit sizes_{limits_.payload_bytes};
    Suspicion suspicion_{sizes_};
    std::vector<PayloadLimit::Flight> flying_;
    std::deque<int> waiting_;
    Instant now_{};
    Instant since_{};
    std::size_t sent_ = 0;
    bool silent_ = false;  // the last one was not answered
};

/// One of these records is in it.
bool carries(const World::Message& message, const std::vector<int>& numbers);

}  // namespace fieldgate::northbound
