#pragma once
#include <cstdint>

namespace fieldgate::storage {

/// What was copied out of a damaged file.
struct Rescued {
    std::uint64_t rows = 0;
    bool whole = true;  ///< false: reading broke off somewhere
};

}  // namespace fieldgate::storage
