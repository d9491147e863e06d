#pragma once
#include <string>

#include "base/result.h"
#include "daemon/gate/orders.h"
#include "storage/ledger_table.h"

namespace fieldgate {

/// What became of an order: for the platform, for the audit log, and for the counters.
struct Outcome {
    northbound::Answer answer;
    int code = northbound::result_code::success;
    std::string text;  ///< Of what acts 8 KiB at most, so that the ledger takes it.
};

/// `code` and `text` as an answer of the kind that `order` wants: for a command its response of the
/// model, whose parameter `result`, if it has one, says how it ended.
Outcome outcome_of(const Order& order, int code, std::string text);

/// It waited too long: told as busy, and not begun.
Outcome outcome_not_begun(const Order& order);
/// Without the ledger nothing is done: busy while its store is not open, or not noted.
Outcome outcome_not_noted(const Order& order, const Error& why);

/// An earlier life may have told it busy without a note (storage::Ledger::mark).
Outcome outcome_doubtful(const Order& order);

/// What a copy of an order is answered with, by what the ledger knows of it (not `fresh`).
Outcome outcome_of_copy(const Order& order, const storage::LedgerEntry& entry);

/// An outcome as the ledger keeps it.
std::string encode_outcome(const Outcome& outcome);
/// And back; nullopt if it is none.
std::optional<northbound::Answer> decode_answer(const std::string& kept);

}  // namespace fieldgate
