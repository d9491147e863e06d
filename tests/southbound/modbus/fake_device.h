#pragma once
// Plans, and a device that refuses or ignores some of what they ask for.
#include <set>
#include <vector>

#include "southbound/modbus/plan.h"

namespace fieldgate::southbound::modbus {

using namespace std::chrono_literals;

inline BusSettings line(std::uint32_t baud = 9600) {
    SerialSettings serial;
    serial.baud = baud;
    BusSettings bus;
    bus.wire = serial;
    return bus;
}

inline Field field(std::uint16_t address, RawType type = RawType::u16,
                   Table table = Table::holding) {
    Field result;
    result.table = table;
    result.address = address;
    result.type = type;
    return result;
}

inline DeviceSettings device(RegisterMap map, std::chrono::milliseconds period = 1s) {
    DeviceSettings result;
    result.unit = 5;
    result.every.assign(map.fields.size(), period);
    result.map = std::make_shared<const RegisterMap>(std::move(map));
    return result;
}

/// A device that refuses or ignores what it does not know.
struct FakeDevice {
    std::set<std::uint16_t> holes{};
    unsigned longest = 125;
    int too_long = 3;  ///< The exception for that; 0: silence.
    int hole = 2;
    int requests = 0;

    // 0: answered; -1: silent; else the exception.
    int ask(const Scan& scan) {
        ++requests;
        if (scan.count > longest) return too_long == 0 ? -1 : too_long;
        for (unsigned i = scan.first; i < scan.first + 0U + scan.count; ++i)
            if (holes.contains(static_cast<std::uint16_t>(i))) return hole == 0 ? -1 : hole;
        return 0;
    }
};

inline bool tell(DevicePlan& plan, std::size_t scan, int answer) {
    if (answer == 0) return plan.answered(scan);
    if (answer < 0) return plan.timed_out(scan);
    return plan.refused(scan, answer);
}

/// Polls every regular scan round after round; returns the points that were answered in the last.
inline std::set<PointIndex> poll(DevicePlan& plan, FakeDevice& fake, int rounds) {
    std::set<PointIndex> read;
    for (int round = 0; round < rounds; ++round) {
        read.clear();
        for (std::size_t i = 0; i < plan.scans().size(); ++i) {
            if (plan.scans()[i].retry) continue;
            const Scan scan = plan.scans()[i];
            const int answer = fake.ask(scan);
            if (answer == 0)
                for (const ScanField& f : scan.fields) read.insert(f.point);
            if (tell(plan, i, answer)) break;  // positions are void; a new round
        }
    }
    return read;
}

inline std::vector<Scan> regular(const DevicePlan& plan) {
    std::vector<Scan> result;
    for (const Scan& scan : plan.scans())
        if (!scan.retry) result.push_back(scan);
    return result;
}

inline RegisterMap row(std::uint16_t first, std::uint16_t count) {
    RegisterMap map;
    for (std::uint16_t i = 0; i < count; ++i)
        map.fields.push_back(field(static_cast<std::uint16_t>(first + i)));
    return map;
}

}  // namespace fieldgate::southbound::modbus
