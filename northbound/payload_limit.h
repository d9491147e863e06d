#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/reading.h"

namespace fieldgate::northbound {

/// How large a publish the platform takes. MQTT 3.1.1 has no word for it: a broker closes the
/// connection on a publish that is larger than it likes, and the same one sent again closes the
/// next. So the size is learned, for as long as the process lives. Pure.
///
/// - `taken` is the largest payload that was acknowledged. A link that dies with nothing larger in
///   flight says nothing about sizes, but for this:
/// - A platform may come to take less (another cluster). Two links in a row that die with something
///   in flight that was once taken, while only smaller ones are acknowledged on them, take `taken`
///   down to what is acknowledged now, and the search begins anew. What refutes it brings all back.
/// - Two links in a row that die with something larger in flight make sizes doubtful. From then on
///   what is larger than `taken` goes alone (Suspicion::trial), and the size is looked for between
///   what was taken and what died, by bisection. What died in a crowd may have been innocent: it
///   counts no more as soon as something has died alone.
/// - A record cannot be cut. When three links have died within Suspicion::prompt, each with a
///   single record alone in flight that was larger than all that was ever taken, and not always the
///   same record, then it is the size: records as large as the largest of the three are never sent
///   again. A smaller one has to die by itself, whatever happened to larger ones; and three
///   different ones where as much was once taken.
/// - A broker may ignore what is too large: two links in a row that end for want of a PUBACK, all
///   in flight larger than all that was acknowledged on them, are such links, too. They say nothing
///   about records, for a broker that hangs does it as well; a trial that is ignored does
///   (Suspicion).
/// - An acknowledged payload as large as the one that died refutes all of it. And because chance
///   may have had its hand in it, it is tried again after 10 min, and after twice as long each time
///   that it fails, 24 h at most.
class PayloadLimit {
public:
    /// What was in flight when a link died.
    struct Flight {
        std::size_t bytes = 0;  ///< payload
        Instant since;
    };

    /// `configured`: limits.payload.
    explicit PayloadLimit(std::size_t configured) : configured_(configured) {}

    /// A publish should not be larger now; a single record may be.
    std::size_t bytes() const;
    /// Sizes are in doubt, and this is larger than what is taken: it goes alone.
    bool doubtful(std::size_t bytes) const { return died_ && bytes > taken(); }
    /// A record that makes such a publish even alone will not be taken.
    bool never(std::size_t bytes) const { return certain_ && !again_ && bytes >= *certain_; }
    /// As large a publish was acknowledged before, if perhaps on another link.
    bool taken_once(std::size_t bytes) const { return bytes <= std::max(ever_, taken()); }
    /// The last link may have been lost for a size: no other explanation is needed.
    bool suspected() const { return suspected_; }

    void acknowledged(std::size_t bytes);
    /// The link is lost, by no doing of ours. With nothing in flight, too.
    void link_lost(const std::vector<Flight>& in_flight, Instant now);
    /// We end the link, for these were not acknowledged for long.
    void unanswered(const std::vector<Flight>& in_flight, Instant now);
    /// A single record that was alone in flight has died with its link, promptly. `another`: it is
    /// not the one of the last time. After link_lost().
    void record_died(std::size_t bytes, bool another);
    /// What died may have died of something else: it is tried again at once.
    void doubt() { again_ = died_.has_value(); }
    /// Time passes.
    void look(Instant now);

    /// What is known now, once for each time that more is known.
    struct Lesson {
        std::size_t taken = 0;   ///< The largest publish that was acknowledged.
        std::size_t closed = 0;  ///< The connection was closed at one as large as this.
        bool records = false;    ///< Single records are as large.
    };
    std::optional<Lesson> lesson();

private:
    std::size_t taken() const;
    bool narrow() const;
    void smaller_lost(const std::vector<Flight>& in_flight, std::size_t passed, Instant now);
    void shrink(std::size_t bytes, std::size_t passed, Instant now);
    void died_alone(std::size_t bytes, Instant now);
    void died(std::size_t bytes, Instant now);
    void forget();

    struct Death {  // of a single record, alone
        std::size_t bytes = 0;
        int kind = 0;  // of which record
    };

    std::size_t configured_;
    std::size_t taken_ = 0;            // now
    std::size_t ever_ = 0;             // whatever became of it
    int shrunk_links_ = 0;             // in a row that died with what was once taken
    std::size_t shrunk_ = 0;           // the largest in flight on each, the smallest of them
    std::size_t passed_ = 0;           // acknowledged on these links, and on the one of now
    std::optional<std::size_t> died_;  // the smallest that did
    bool alone_ = false;               // one has died alone, not in a crowd
    bool again_ = false;               // being tried again
    int links_ = 0;                    // in a row
    std::size_t smallest_ = 0;         // that they died with
    bool suspected_ = false;           // the last one
    std::vector<Death> deaths_;        // the smallest ones, in order of size, as many as prove it
    int kinds_ = 0;
    std::optional<std::size_t> certain_;  // records as large, too
    Instant again_at_;
    Instant::duration pause_{};
    std::optional<std::size_t> told_;
    bool told_records_ = false;
};

}  // namespace fieldgate::northbound
