#include "storage/row.h"

#include <zlib.h>  // crc32(): an order of magnitude faster than a table of our own

namespace fieldgate::storage {
namespace {

std::uint32_t add(std::uint32_t sum, const void* bytes, std::size_t size) {
    return static_cast<std::uint32_t>(crc32_z(sum, static_cast<const unsigned char*>(bytes), size));
}

std::uint32_t add(std::uint32_t sum, std::string_view text) {
    const std::uint64_t size = text.size();
    return add(add(sum, &size, sizeof size), text.data(), text.size());
}

}  // namespace

std::uint32_t name_checksum(std::string_view device_id, std::string_view service_id) {
    return add(add(0, device_id), service_id);
}

std::uint32_t row_checksum(std::uint32_t names, std::string_view boot, Table table, Seq seq, Utc at,
                           std::chrono::milliseconds since_boot, bool proven,
                           std::string_view properties) {
    const std::array<std::uint64_t, 5> numbers{
        static_cast<std::uint64_t>(table), seq,
        static_cast<std::uint64_t>(at.time_since_epoch().count()),
        static_cast<std::uint64_t>(since_boot.count()), static_cast<std::uint64_t>(proven)};
    const std::uint32_t head = add(add(names, numbers.data(), sizeof numbers), boot);
    return add(head, properties);
}

}  // namespace fieldgate::storage
