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

}  // namespace fieldgate::storage
