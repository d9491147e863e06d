#pragma once
#include <string>

#include "base/result.h"

namespace fieldgate::storage {

/// The store's clock, written with each commit.
inline constexpr const char* uptime_figure = "uptime_ms";

/// Figures of a control store about the file that it has replaced.
inline constexpr const char* rescued_figure = "rescued";  ///< requests and devices
inline constexpr const char* lost_figure = "lost";        ///< requests; -1: nobody knows

/// How many requests the ledger holds, written with each commit: what is missing can be told.
inline constexpr const char* requests_figure = "requests";

/// Makes `new_file`, with nothing in it but its tables; whole, closed and on disk. Errors: those of
/// Database.
Result<void> make_control(const std::string& new_file);

/// How much of a damaged file must be readable.
enum class Readable : unsigned char { all, whatever_is };

/// As make_control(), with what can be read of `folder`/control.db: ledger and roster; its audit
/// begins with a row that says so. If request ids may be lost it is marked (LedgerTable::mark):
/// until copies can come no more, what is not known is refused. Errors: bad_data (Readable::all,
/// and that is not so), those of Database.
Result<void> rescue_control(const std::string& folder, const std::string& new_file,
                            Readable readable);

}  // namespace fieldgate::storage
