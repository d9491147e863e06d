#pragma once
#include <cstdint>
#include <string>

namespace fieldgate::storage {

/// While one lives, a page of a file cannot be read, whoever asks: pread() says EIO.
class BadSector {
public:
    BadSector(const std::string& file, std::uint64_t page);
    ~BadSector();
    BadSector(const BadSector&) = delete;
    BadSector& operator=(const BadSector&) = delete;

    /// How often somebody has tried.
    std::uint64_t reads() const;
};

}  // namespace fieldgate::storage
