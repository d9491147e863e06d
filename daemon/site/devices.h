#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/event.h"
#include "model/reading.h"
#include "northbound/sub_devices.h"

namespace fieldgate {

/// What is known of every sub-device's state, what of it the platform was told, and what it says to
/// that. Runs on the loop.
///
/// The platform acknowledges a request with statuses, and then says for each device whether it
/// takes it (protocol reference 4.5). One that it refuses, because it does not know it yet, is told
/// again: when the platform says that it was added, after a connect, and slowly. A platform that
/// says nothing to a request within its 30 s has got it: it is not told again, or one that never
/// says anything would be told for ever.
class Devices {
public:
    static constexpr std::chrono::seconds answer_within{30};
    /// The pauses before a refused device is told again, and how many are at a time.
    static constexpr std::chrono::minutes again_first{10};
    static constexpr std::chrono::minutes again_longest{60};
    static constexpr std::size_t again_at_once = 100;
    static constexpr std::chrono::seconds again_apart{5};

    explicit Devices(const asio::any_io_executor& loop);

    /// The site has it from now on. The platform's word about it is remembered if it was here
    /// before.
    void put(DeviceIndex device, const std::string& device_id);
    /// The site has it no more: the platform is told that it is OFFLINE, if it was told anything,
    /// and then it is forgotten.
    void drop(DeviceIndex device);

    /// An earlier life has dropped it, and the platform was not told yet.
    void owe(DeviceIndex device, const std::string& device_id);
    /// The ids of those that are gone, and the platform is to be told so.
    std::set<std::string> owed() const;

    /// Of one that is not here nothing is kept.
    void set(DeviceIndex device, DeviceStatus status);
    DeviceStatus status(DeviceIndex device) const { return entries_[device].now; }
    std::size_t count(DeviceStatus status) const;
    /// "unknown" (not told yet), "asked", "told" (and it said nothing), "accepted", "refused: why".
    std::string platform(DeviceIndex device) const;

    /// Every device whose state is known, as after a connect.
    std::vector<northbound::SubDeviceStatus> all() const;
    /// The devices whose state is not what the platform was told last, and those that it refused
    /// and are to be told again.
    std::vector<northbound::SubDeviceStatus> due(Instant now) const;
    /// The devices that answer, and the platform was not told so; without those it refused.
    std::vector<northbound::SubDeviceStatus> arrived() const;
    /// Every device as OFFLINE, for the end.
    std::vector<northbound::SubDeviceStatus> all_offline() const;

    /// There is a new link: nothing will be said any more to what went over the last.
    void connected();
    /// `statuses` are about to be told; returns the event_id for it.
    std::string ask(const std::vector<northbound::SubDeviceStatus>& statuses, Instant now);
    /// That request is acknowledged; or it is lost.
    void acknowledged(const std::string& event_id, Instant now);
    void lost(const std::string& event_id);
    /// What the platform says to a request. The devices whose standing changes by it.
    struct News {
        std::vector<northbound::StatusResponse::Failure> refused;
        std::vector<std::string> accepted;  ///< ...which it had refused before.
    };
    News hear(const northbound::StatusResponse& response, Instant now);
    /// The platform has them now, as nothing yet; or has them no more.
    void added(const std::vector<std::string>& device_ids);
    void deleted(const std::vector<std::string>& device_ids, Instant now);
    /// What the platform has said nothing to in time, it was told.
    void look(Instant now);

    /// Waits for a change, 10 s at most. True if there was one.
    asio::awaitable<bool> changed();

private:
    enum class Word : std::uint8_t { none, asked, told, accepted, refused };
    struct Entry {
        std::string device_id;
        DeviceIndex index = 0;
        bool here = false;     // the site has it
        bool leaving = false;  // it had, and the platform is to be told
        DeviceStatus now = DeviceStatus::unknown;
        DeviceStatus told = DeviceStatus::unknown;  // or being told
        Word word = Word::none;                     // the platform's
        std::uint64_t ask = 0;                      // the last one that it is in
    };
    struct Ask {
        std::uint64_t number;
        std::string event_id;
        Instant until;  // for ever: not acknowledged yet
    };
    struct Refusal {
        std::string why;
        Instant::duration pause;
        Instant again;
    };

    static bool is_told_gone(const Entry& entry) {
        return entry.leaving && entry.told == DeviceStatus::offline;
    }
    static bool is_of_interest(const Entry& entry) { return entry.here || entry.leaving; }
    Entry* find(std::string_view device_id);
    void leave(Entry& entry);
    Entry& entry_of(DeviceIndex device, const std::string& device_id);
    const Refusal* refusal(DeviceIndex device) const;
    bool is_untold(const Entry& entry) const;
    void forget(Entry& entry);
    void refuse(Entry& entry, std::string why, Instant now);
    template <class Wanted>
    std::vector<northbound::SubDeviceStatus> those(const Wanted& wanted) const;

    std::deque<Entry> entries_;                                // by DeviceIndex
    std::unordered_map<std::string_view, DeviceIndex> by_id_;  // views into entries_
    std::unordered_map<DeviceIndex, Refusal> refusals_;
    Instant again_at_{};  // not before, whoever it is
    std::deque<Ask> asks_;
    std::uint64_t asks_made_ = 0;
    std::uint32_t chance_;  // tells our event ids from those of an earlier life
    Event change_;
};

}  // namespace fieldgate
