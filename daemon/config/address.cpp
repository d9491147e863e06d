#include <algorithm>
#include <array>

#include "daemon/config/points.h"
#include "daemon/config/words.h"

namespace fieldgate::config {
namespace {

using southbound::modbus::AddressRange;
using southbound::modbus::Field;
using southbound::modbus::Order;
using southbound::modbus::RegisterMap;
using southbound::modbus::Table;

const std::vector<std::string> tables{"coil", "discrete", "input", "holding"};
const std::vector<std::string> orders_of_two{"ABCD", "CDAB", "BADC", "DCBA"};
const std::vector<std::string> orders_of_four{"ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"};
const std::vector<std::string> orders_of_one{"AB", "BA"};
constexpr std::array<Order, 4> orders{{{false, false}, {true, false}, {false, true}, {true, true}}};

bool in_registers(Table table) { return table == Table::input || table == Table::holding; }

// The table before the colon and what comes behind it.
std::optional<Table> read_table(const Place& place, std::string_view& rest, Report& report) {
    const auto text = read_text(place, report);
    if (!text) return std::nullopt;
    const std::size_t colon = raw_text(place).find(':');
    const std::string name = raw_text(place).substr(0, colon);
    const auto found = std::find(tables.begin(), tables.end(), name);
    if (found == tables.end()) {
        const bool number = !name.empty() && name[0] >= '0' && name[0] <= '9';
        report.error(place, '"' + name + "\" is no register table",
                     number ? "write the table and its own address: holding:N, not 4xxxx"
                            : did_you_mean(name, tables));
        return std::nullopt;
    }
    if (colon == std::string::npos) {
        report.error(place, '"' + name + "\" without an address", "write " + name + ":N");
        return std::nullopt;
    }
    rest = std::string_view(raw_text(place)).substr(colon + 1);
    return static_cast<Table>(found - tables.begin());
}

std::optional<std::uint16_t> read_address(const Place& place, std::string_view text,
                                          std::int64_t base, Report& report) {
    const auto number = parse_whole(text);
    if (!number) {
        const bool octal = text.size() > 1 && text[0] == '0';
        report.error(place, '"' + std::string(text) + "\" is no address",
                     octal ? "write it without leading zeros; 0x begins a hexadecimal number"
                           : "write a number, in decimal or with 0x");
        return std::nullopt;
    }
    if (*number < base || *number - base > 65535) {
        report.error(place, "the address " + std::string(text) + " is out of range",
                     std::to_string(base) + " to " + std::to_string(65535 + base) +
                         " with address_base " + std::to_string(base));
        return std::nullopt;
    }
    return static_cast<std::uint16_t>(*number - base);
}

}  // namespace

void read_at(const Place& place, std::int64_t address_base, Field& field, Report& report) {
    std::string_view rest;
    const auto table = read_table(place, rest, report);
    if (!table) return;
    field.table = *table;
    if (const auto address = read_address(place, rest, address_base, report))
        field.address = *address;
}

std::optional<AddressRange> read_range(const Place& place, std::int64_t address_base,
                                       Report& report) {
    std::string_view rest;
    const auto table = read_table(place, rest, report);
    if (!table) return std::nullopt;
    const Ends ends = parse_ends(rest);
    const auto first = read_address(place, ends.first, address_base, report);
    const auto last = first ? read_address(place, ends.last, address_base, report) : std::nullopt;
    if (!first || !last) return std::nullopt;
    if (*first <= *last) return AddressRange{*table, *first, *last};
    report.error(place, "the range " + std::string(rest) + " is empty",
                 "write the smaller address first");
    return std::nullopt;
}

void read_default_order(const Place& place, Order& order, Report& report) {
    std::vector<std::string> words = orders_of_two;
    words.insert(words.end(), orders_of_four.begin(), orders_of_four.end());
    if (const auto index = read_word(place, report, words)) order = orders[*index % 4];
}

void read_order(const Place& place, Field& field, Report& report) {
    const std::uint32_t width = southbound::modbus::width(field);
    if (!in_registers(field.table)) {
        report.error(place, "one bit has no order", "remove the key");
    } else if (field.type == RawType::string) {
        if (const auto index = read_word(place, report, orders_of_one))
            field.order = {false, *index == 1};
    } else if (width == 1) {
        // One register: whatever the order of words, only its bytes can be swapped.
        std::vector<std::string> words = orders_of_two;
        words.insert(words.end(), orders_of_one.begin(), orders_of_one.end());
        if (const auto index = read_word(place, report, words))
            field.order = {false, *index == 2 || *index == 3 || *index == 5};
    } else {
        const auto& words = width == 2 ? orders_of_two : orders_of_four;
        const auto& others = width == 2 ? orders_of_four : orders_of_two;
        const auto twin = std::find(others.begin(), others.end(), raw_text(place));
        if (twin != others.end()) {
            report.error(place,
                         '"' + *twin + "\" is no order of " + std::to_string(width) + " registers",
                         "write " + words[static_cast<std::size_t>(twin - others.begin())]);
        } else if (const auto index = read_word(place, report, words)) {
            field.order = orders[*index];
        }
    }
}

void check_extent(const Place& place, const Field& field, const RegisterMap& map, Report& report) {
    const std::uint32_t width = southbound::modbus::width(field);
    const std::uint32_t last = field.address + width - 1;
    const std::string unit = in_registers(field.table) ? " registers" : " bits";
    if (!in_registers(field.table) && field.type != RawType::boolean) {
        report.error(place, type_name(field.type) + " does not lie in one bit",
                     std::string("a ") + to_string(field.table) +
                         " is of type bool; numbers lie in holding: or input:");
        return;
    }
    if (last > 65535) {
        report.error(place, "the point ends behind the last address",
                     "it covers " + std::to_string(width) + unit + "; the last address is 65535");
        return;
    }
    if (width > map.max_registers) {
        report.error(
            place,
            "the point is wider than max_registers (" + std::to_string(map.max_registers) + ')',
            "it covers " + std::to_string(width) + unit);
    }
    for (const AddressRange& range : map.forbidden) {
        if (range.table != field.table || last < range.first || field.address > range.last)
            continue;
        report.error(place, "the point lies in a forbidden range",
                     std::string(to_string(range.table)) + ':' + std::to_string(range.first) +
                         ".." + std::to_string(range.last) + " is never read (addresses from 0)");
    }
}

}  // namespace fieldgate::config
