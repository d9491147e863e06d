#pragma once
#include <functional>
#include <string>

#include "base/result.h"

namespace fieldgate::storage {

/// A damaged database STEM.db, and the new one that takes its place when it is complete. Until then
/// the damaged one stays where it is; then it is kept as STEM.bad-<n>, the newest of them only.
/// Whatever stops in between, the next call goes on from there or begins anew.

/// The new one is written by `write` as the file that it is given (STEM.new), which has to be
/// whole, closed and on disk when that returns without an error. Then it has the name by which
/// put_in_place() knows it (STEM.salvaged). `goes_on`, asked of a STEM.new that a kill has left:
/// `write` can go on with it. Errors: those of `write`, io.
Result<void> write_replacement(const std::string& folder, const std::string& stem,
                               const std::function<Result<void>(const std::string& file)>& write,
                               const std::function<bool(const std::string& file)>& goes_on = {});

/// What the damaged one will be called: "STEM.bad-<n>".
std::string bad_name(const std::string& folder, const std::string& stem);

/// Puts a complete new one in the place of STEM.db. Returns the damaged one's new name; empty if
/// there was nothing to do. Before STEM.db is opened, each time. Errors: io.
Result<std::string> put_in_place(const std::string& folder, const std::string& stem);

}  // namespace fieldgate::storage
