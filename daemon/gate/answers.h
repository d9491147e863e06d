#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/event.h"
#include "daemon/gate/bucket.h"
#include "daemon/gate/verdicts.h"
#include "model/reading.h"
#include "northbound/rank.h"
#include "northbound/request.h"

namespace fieldgate {

/// Sees to it that every request gets one answer in time: 14 s after its receipt, whatever the wire
/// does (the platform gives up at 20 s). Whoever works on it gives the answer; if time runs out
/// before, the answer is "busy" for what has not begun and never will, and "unknown" for what may
/// have. What an id was told once is its verdict: a copy is told the same. What a link took with it
/// is sent again on the next, as long as somebody may wait for it. Runs on the loop.
// Why so long: an answer has one life, from owed to sent or given up, and no part of it is seen by
// anybody else.
class Answers {
public:
    static constexpr std::chrono::seconds patience{14};
    /// So long after its receipt an answer is worth sending. Older ones are given up and counted.
    static constexpr std::chrono::seconds of_use{15};
    /// Refusals at the door, and what copies are told, do not go before data, and no flood of them
    /// takes more than this of the pace.
    static constexpr double refusals_per_second = 5;
    static constexpr double refusals_burst = 10;
    /// So many of them wait; more would come too late for anybody, and are given up and counted.
    static constexpr std::size_t refusals_max = 64;
    static constexpr std::size_t sending_max = 10;  ///< And as many refusals.

    struct Ready {
        std::string request_id;
        northbound::Answer answer;
        northbound::Rank rank = northbound::Rank::urgent;
        Instant until{};  ///< Then it is of no use any more.
        int losses = 0;   ///< Links that were lost with it under way.
    };

    explicit Answers(const asio::any_io_executor& loop) : wake_(loop) {}

    enum class Known : std::uint8_t {
        no,
        owed,       ///< A copy of one that will be answered; or another one under its id.
        told,       ///< A copy of one that was answered: repeat().
        noted,      ///< As told, but only the ledger still knows what.
        different,  ///< Its id stood for something else that was answered.
    };
    Known known(const northbound::Request& request) const;
    /// It is owed an answer, or was given one.
    bool is_known(const std::string& request_id) const {
        return owed_.contains(request_id) || verdicts_.find(request_id) != nullptr;
    }

    /// From now on `request`, which is not owed one, is owed an answer. `acts`: it is about to be
    /// noted in the ledger, and may be carried out from now on, in this life or never.
    void owe(const northbound::Request& request, Instant received, bool acts);
    /// It is in the ledger: as long as it has not begun, nothing comes of it. False: it was
    /// answered meanwhile, let it be.
    bool noted(const std::string& request_id);
    /// The wire may know of it from now on. False: it was answered meanwhile, let it be.
    bool begin(const std::string& request_id);
    /// It will not be begun, which only this life knows: the answer waits until allow_unnoted(); if
    /// that does not come in time it is "unknown".
    void give_unnoted(const std::string& request_id, northbound::Answer answer);
    /// The answer; nothing happens if time has run out before.
    void give(const std::string& request_id, northbound::Answer answer);

    /// An answer to what was never owed one: refused at the door, for good. `unnoted`: only this
    /// life will know the verdict; it waits until allow_unnoted().
    void refuse(const northbound::Request& request, northbound::Answer answer, Instant received,
                bool unnoted);
    /// An answer that is no verdict of the id: it makes no sense, and a copy will not either.
    void refuse(std::string request_id, northbound::Answer answer, Instant received);
    /// What the id of `request` was told.
    void repeat(const northbound::Request& request, Instant received);
    void allow_unnoted(bool allowed);
    /// What waits for that will not be allowed.
    void give_up_held();
    /// Something waits for allow_unnoted().
    bool holds() const { return !held_.empty() || !held_owed_.empty(); }
    /// What an earlier life has told, or begun; nullopt: only the ledger knows.
    void recall(std::string request_id, std::string digest,
                std::optional<northbound::Answer> answer);

    /// The next answer to send; nullopt after 10 s without one, without a link, or with 10 of its
    /// rank under way.
    asio::awaitable<std::optional<Ready>> next();
    /// One that two links were lost with: to be sent while nothing else is under way, before
    /// open().
    std::optional<Ready> next_alone(Instant now);
    /// One that these have given, of that rank, is sent, or was not taken.
    void sent(northbound::Rank rank);
    /// It was not acknowledged before `link` was lost, with so many publishes under way (0: not
    /// even this one); next() waits for another link. Given up if it was alone, and not the first
    /// time.
    void lost(Ready ready, std::uint64_t link, int died, Instant now);

    /// No time is left: what is owed is answered with what is known.
    void give_up_waiting() { expire(Instant::max()); }
    /// Answers that are to be sent, or under way.
    std::size_t unsent() const {
        return ready_.size() + refusals_.size() + alone_.size() + sending_ + refusals_sending_;
    }

    /// There is a link from now on; and none any more.
    void open();
    void close() { open_ = false; }
    std::uint64_t link() const { return link_; }  ///< Which is open, or was last.
    /// The last link was lost with answers under way: it may be for one of them.
    bool suspected() const { return suspected_; }

    std::size_t owed() const { return owed_.size(); }
    std::uint64_t late() const { return late_; }  ///< Answered because time ran out.
    /// Never sent: too many refusals waited, or no link was there, or took it, in time.
    std::uint64_t given_up() const { return given_up_; }

private:
    enum class Stage : std::uint8_t { noting, waiting, begun };
    struct Owed {
        std::string digest;
        northbound::Answer busy;
        northbound::Answer unknown;
        Instant received{};
        Stage stage = Stage::waiting;
        std::uint64_t number = 0;
        std::optional<northbound::Answer> unnoted;  // until allow_unnoted()
    };
    struct Deadline {
        Instant at;
        std::string request_id;
        std::uint64_t number;  // of the Owed it is for: an id may be owed again
    };

    bool has_room();
    void add_refusal(std::string request_id, northbound::Answer answer, Instant received,
                     bool held);
    std::deque<Ready>& queue_of(const Ready& ready);
    std::size_t& sending(northbound::Rank rank);
    void drop_late(std::deque<Ready>& queue, Instant now);
    std::optional<Ready> take(std::deque<Ready>& queue);
    void settle(std::unordered_map<std::string, Owed>::iterator owed, northbound::Answer answer,
                bool unnoted = false);
    northbound::Answer unnoted_answer(const std::string& id, const Owed& owed) const;
    void expire(Instant now);

    std::unordered_map<std::string, Owed> owed_;
    std::uint64_t numbers_ = 0;
    std::deque<Deadline> deadlines_;  // the earliest in front
    Verdicts verdicts_;
    std::deque<Ready> ready_, refusals_, alone_;
    std::deque<Ready> held_;              // until allow_unnoted()
    std::vector<std::string> held_owed_;  // as held_; some were answered meanwhile
    bool unnoted_allowed_ = false;
    Bucket refusals_pace_{refusals_per_second, refusals_burst};
    std::size_t sending_ = 0, refusals_sending_ = 0;
    std::uint64_t late_ = 0, given_up_ = 0;
    bool open_ = false, suspected_ = false;
    std::uint64_t link_ = 0;
    Event wake_;
};

}  // namespace fieldgate
