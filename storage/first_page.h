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

}  // namespace fieldgate::storage
