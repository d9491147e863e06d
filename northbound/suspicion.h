#pragma once
#include <chrono>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "model/reading.h"
#include "northbound/parcel.h"
#include "northbound/payload_limit.h"

namespace fieldgate::northbound {

/// Which record the platform closes the link for. MQTT 3.1.1 has no way to refuse a publish (3.3.5:
/// acknowledge it, or close the connection), so one record that the platform does not stand would
/// be sent again for ever, and all behind it with it. Pure.
///
/// A lost link says little: up to ten publishes were in flight, and most links die of something
/// else. So nobody is condemned for having been there:
/// - In flight on two links lost in a row: a suspect. Suspects are tried: they go by themselves,
///   with nothing else in flight, on a link that has held for `hold`.
/// - A parcel of suspects whose link dies is cut to an eighth for the next time (each cut costs a
///   lost link, which is dear, and seven publishes, which are not); an acknowledged one is
///   innocent.
/// - One record, alone in flight, whose link is closed within `prompt`, on three links in a row, is
///   guilty. Before each further trial of it one more other message has to be acknowledged (1, 2,
///   3) in the very place where it was: a broker that closes after so many messages betrays itself.
/// - A link that dies while no suspect is tried acquits all: links die without them. So does one
///   that dies late: a broker that hangs (no PUBACK, which we notice after 20 s), a lost network.
/// - A broker may ignore what it does not stand, instead of closing. So when a trial is not
///   acknowledged within `prompt`, something else follows it: where that is acknowledged, and the
///   one on trial never is, it has died of itself, too; but not where no data at all was taken
///   yet, or as large a publish once was: then it may be the way of data that is stuck.
/// A broker that restarts, a flapping network, a second client with our name: each would have to
/// strike three times in a row in the moment in which the same single record is alone in flight, 6
/// s after a connect that worked, and spare the messages just before it.
///
/// The same trials find out how large a publish the platform takes (payload_limit.h): a parcel
/// whose size is in doubt goes alone, too.
class Suspicion {
public:
    /// `sizes` must outlive it.
    explicit Suspicion(PayloadLimit& sizes) : sizes_(sizes) {}

    /// Longer than what northbound/reconnect.h takes for the work of a twin.
    static constexpr std::chrono::seconds hold{6};
    static constexpr std::chrono::seconds prompt{5};
    static constexpr int strikes_max = 3;

    /// Another platform: what was learned of the last says nothing.
    void forget() {
        acquit();
        on_trial_.clear();
        failed_.clear();
        ignored_ = data_taken_ = false;
    }

    /// A link is open, and data may go. What failed on the one before is judged now.
    void connected(Instant now);
    /// It leaves now, with nothing else in flight.
    void tried(const Parcel& parcel, Instant now);
    /// Its link was lost before it was acknowledged. `ignored`: what was sent behind it was
    /// acknowledged.
    void failed(const Parcel& parcel, Instant now, bool ignored = false);
    void acknowledged(const Parcel& parcel) {
        data_taken_ = true;
        settled(parcel);
    }
    /// Acknowledged, or in quarantine.
    void settled(const Parcel& parcel);

    /// Parcel::add(), but suspects travel among themselves and no more than are to be tried at
    /// once.
    Fit add(Parcel& parcel, const Record& record) const;

    struct Trial {
        Instant not_before;   ///< max: not on this link any more.
        int others = 0;       ///< Messages that are to be acknowledged just before it.
        bool guilty = false;  ///< No trial any more: into quarantine, if the others get through.
    };
    /// nullopt: no suspects, it goes as ever.
    std::optional<Trial> trial(const Parcel& parcel) const;

private:
    /// A record that was sent once keeps its time, and times of a series rise: its name.
    using Key = std::pair<SeriesId, Utc>;
    static std::set<Key> keys(const Parcel& parcel);
    bool suspect(Key key) const;
    void acquit();
    void judge_trial();
    void judge_crowd();

    PayloadLimit& sizes_;
    std::map<Key, int> lost_with_;  // links in a row that were lost with it in flight
    std::size_t records_max_ = std::numeric_limits<std::size_t>::max();
    std::optional<Key> single_;  // the one that died last alone
    int strikes_ = 0;            // of it
    std::set<Key> on_trial_;     // in flight, alone
    std::size_t trial_bytes_ = 0;
    std::set<Key> failed_;     // with the link of now
    bool ignored_ = false;     // the one on trial
    bool data_taken_ = false;  // something was acknowledged, ever
    Instant tried_at_, failed_at_, connected_at_;
};

}  // namespace fieldgate::northbound
