#pragma once
#include <set>
#include <string>

namespace fieldgate::storage {

/// A few names that must not be forgotten, in a file of their own beside the store, which may open
/// late. Replaced as a whole and flushed.

/// None, if there is no file that is whole. Blocks.
std::set<std::string> read_names(const std::string& file);
/// If it fails, the old ones stay. No names leave no file. Blocks.
void keep_names(const std::string& file, const std::set<std::string>& names);

}  // namespace fieldgate::storage
