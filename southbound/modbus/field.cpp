#include "southbound/modbus/field.h"

namespace fieldgate::southbound::modbus {

std::uint16_t width(const Field& field) {
    if (field.table == Table::coil || field.table == Table::discrete) return 1;
    switch (field.type) {
        case RawType::boolean:
        case RawType::u16:
        case RawType::i16:
        case RawType::bcd16:
            return 1;
        case RawType::u32:
        case RawType::i32:
        case RawType::f32:
        case RawType::bcd32:
            return 2;
        case RawType::u64:
        case RawType::i64:
        case RawType::f64:
            return 4;
        case RawType::string:
            break;
    }
    return static_cast<std::uint16_t>((field.length + 1U) / 2U);
}

}  // namespace fieldgate::southbound::modbus
