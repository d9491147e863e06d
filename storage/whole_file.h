#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace fieldgate::storage {

/// `bytes` become the content of `file` in one step: after a power cut, on a full disk or after any
/// other error it is whole, as it was before or as it is now. Blocks. Errors: io.
Result<void> write_whole_file(const std::string& file, std::string_view bytes);

/// What was renamed in it, made or removed is on disk. Blocks. Errors: io.
Result<void> sync_folder(const std::string& folder);

/// A line of text and, below it, its checksum under `kind`, which tells one file from another.
/// An empty line removes the file.
void keep_checked_line(const std::string& file, const char* kind, const std::string& line);

/// The line; empty where there is none or it is not what was kept.
std::string read_checked_line(const std::string& file, const char* kind);

}  // namespace fieldgate::storage
