#include "storage/figures.h"

#include "storage/database.h"
#include "storage/fields.h"

namespace fieldgate::storage {
namespace {

std::int64_t crc_of(std::string_view name, std::int64_t value) {
    return Fields().add(name).add(value).crc();
}

}  // namespace

Result<std::optional<std::int64_t>> load_figure(Database& database, std::string_view name) {
    Result<Statement> select = database.prepare("SELECT v, crc FROM meta WHERE k = ?1");
    if (!select) return select.error();
    const Result<bool> there = select->bind(1, name).step();
    if (!there) return there.error();
    if (!*there || select->integer(1) != crc_of(name, select->integer(0)))
        return std::optional<std::int64_t>();
    return std::optional(select->integer(0));
}

Result<void> save_figure(Database& database, std::string_view name, std::int64_t value) {
    Result<Statement> set = database.prepare(save_figure_sql);
    if (!set) return set.error();
    return save_figure(*set, name, value);
}

Result<void> save_figure(Statement& set, std::string_view name, std::int64_t value) {
    return set.bind(1, name).bind(2, value).bind(3, crc_of(name, value)).run();
}

}  // namespace fieldgate::storage
