#pragma once
// A device with a point of each kind that is written in its own way.
#include <chrono>
#include <memory>
#include <vector>

#include "southbound/settings.h"

namespace fieldgate::southbound::writing {

using namespace std::chrono_literals;
using modbus::Field;
using modbus::RawType;
using modbus::RegisterMap;
using modbus::Table;
using std::chrono::milliseconds;

enum : PointIndex {
    limit,
    breaker,
    counter,
    mode,
    stage,
    verified,
    missing,
    fixed,
    gain,
    phase,
    points
};

inline Field at(std::uint16_t address, RawType type, Table table = Table::holding) {
    Field field;
    field.address = address;
    field.type = type;
    field.table = table;
    return field;
}

inline DeviceSettings device(milliseconds every) {
    auto map = std::make_shared<RegisterMap>();
    map->fields = {at(10, RawType::i16),  at(3, RawType::boolean, Table::coil),
                   at(20, RawType::u32),  at(30, RawType::u16),
                   at(30, RawType::u16),  at(40, RawType::u16),
                   at(600, RawType::u16), at(50, RawType::u16),
                   at(60, RawType::f32),  at(30, RawType::u16)};
    map->fields[limit].scale = {1, 1};
    map->fields[counter].order.words_swapped = true;
    map->fields[mode].bits = modbus::Bits{4, 7};
    map->fields[stage].bits = modbus::Bits{8, 11};
    map->fields[phase].bits = modbus::Bits{0, 3};
    auto all = std::make_shared<std::vector<Point>>(points);
    for (PointIndex i = 0; i < points; ++i)
        if (i != fixed) (*all)[i].write.emplace();
    (*all)[stage].write->mask = true;
    (*all)[fixed].priority = Priority::alarm;
    for (const PointIndex i : {verified, gain}) {
        (*all)[i].write->readback = true;
        (*all)[i].write->within = 300ms;
    }
    DeviceSettings settings;
    settings.name = "device";
    settings.unit = 7;
    settings.every.assign(points, every);
    settings.map = map;
    settings.points = all;
    return settings;
}

}  // namespace fieldgate::southbound::writing
