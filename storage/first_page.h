#pragma once
#include <string>

#include "base/result.h"

namespace fieldgate::storage {

/// The first page of a database says where everything is. It is the same in every file of one
/// schema, so that it can be lent to one whose own is damaged.

/// Of a file that is sound and closed. Errors: io.
Result<std::string> first_page(const std::string& file);
/// Makes `copy` of what can be read of `damaged` and its WAL, under that page. Errors: io.
Result<void> copy_under_first_page(const std::string& damaged, const std::string& copy,
                                   const std::string& page);

/// Keeps the first page of `file`, which is sound and closed, as `copy`; written where it is new.
/// Errors: io.
Result<void> keep_first_page(const std::string& file, const std::string& copy);
/// `damaged` has another first page than that copy, but for what changes with each commit.
bool has_another_first_page(const std::string& damaged, const std::string& copy);
/// Puts a first page, from such a copy or from a file of the same schema, into `damaged` itself,
/// where there may be no room for a whole copy. What can be read of its own is kept as
/// `damaged`-page-1. Errors: io.
Result<void> lend_first_page(const std::string& damaged, const std::string& from);

}  // namespace fieldgate::storage
