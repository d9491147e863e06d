#pragma once
#include <optional>
#include <string>

#include "model/record.h"

namespace fieldgate::storage {

/// The last proven time once more, in a file of its own beside the store: it is there at once,
/// while a store that is large, damaged or refused by its disk is not, and certificates are judged
/// by it. Coarse, so that it costs a flash disk one small write an hour; and once the store is open
/// and has one, that counts alone: a wrong time which was put right there is not to come back from
/// here.

inline constexpr const char* proven_time_file = "proven-time";

/// Nullopt: there is none that is whole.
std::optional<Utc> read_proven_time(const std::string& file);
/// Nothing happens if what is kept is less than an hour away from `time`. Replaced as a whole and
/// flushed; if that fails, the old one stays.
void keep_proven_time(const std::string& file, Utc time);

}  // namespace fieldgate::storage
