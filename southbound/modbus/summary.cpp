#include "southbound/modbus/summary.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "southbound/modbus/cost.h"
#include "southbound/modbus/plan.h"

namespace fieldgate::southbound::modbus {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t dead_shown = 3;

double seconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }
double percent(double share) { return 100.0 * share; }

/// What one device costs its wire, as shares of its time.
struct Share {
    double alive = 0;
    double dying = 0;    ///< Every scan times out with all its tries.
    double offline = 0;  ///< One probe in the longest pause.
};

// After an error on a serial line the link stays silent for another timeout, and reads once more
// to prove the line before it trusts it.
nanoseconds failed_scan(const CostModel& cost, const Scan& scan, unsigned tries) {
    const nanoseconds timeout = cost.timeout(scan.request);
    const nanoseconds sent = cost.transaction(scan.table, 1) - cost.latency();
    const bool serial = std::holds_alternative<SerialSettings>(cost.bus().wire);
    return tries * (sent + timeout + (serial ? timeout : nanoseconds(0)));
}

class Sum {
public:
    Sum(PlanSummary& result, const BusSettings& bus, std::size_t devices)
        : result_(result), cost_(bus), many_(devices > 1) {}

    void add(const DeviceSettings& device) {
        const DevicePlan plan(device, cost_);
        Share share;
        std::map<std::chrono::milliseconds, bool> addressed;  // a turnaround per tick, not per scan
        for (const Scan& scan : plan.scans()) {
            const bool first = !std::exchange(addressed[scan.period], true);
            const nanoseconds turn = many_ && first ? cost_.turnaround() : nanoseconds(0);
            const nanoseconds time = cost_.transaction(scan.table, scan.count) + turn;
            add_block(device, scan, time);
            const double period = seconds(scan.period);
            const unsigned tries = cost_.bus().retries + 1U;
            share.alive += seconds(time) / period;
            share.dying += seconds(failed_scan(cost_, scan, tries) + turn) / period;
            const double pause = std::max(seconds(device.offline.probe_to), 0.001);
            share.offline = std::max(
                share.offline, seconds(failed_scan(cost_, scan, 1) + cost_.turnaround()) / pause);
        }
        if (const std::size_t lost = plan.unreadable(); lost > 0)
            result_.messages.push_back(device.name + ": " + std::to_string(lost) +
                                       " points lie in forbidden ranges or beyond what one request "
                                       "can read");
        shares_.push_back(share);
    }

    void finish() {
        double alive = 0;
        for (const Share& share : shares_) alive += share.alive;
        result_.load_percent = percent(alive);
        // The worst: the devices that cost most when they die.
        std::sort(shares_.begin(), shares_.end(), [](const Share& a, const Share& b) {
            return a.dying - a.alive > b.dying - b.alive;
        });
        double dying = alive;
        double offline = alive;
        for (std::size_t i = 0; i < std::min(shares_.size(), dead_shown); ++i) {
            dying += shares_[i].dying - shares_[i].alive;
            offline += shares_[i].offline - shares_[i].alive;
            result_.dead.push_back({i + 1, percent(dying), percent(offline)});
        }
        tell_overload(alive);
    }

private:
    void add_block(const DeviceSettings& device, const Scan& scan, nanoseconds time) {
        BlockCost block;
        block.device = device.device.index;
        block.unit = device.unit;
        block.table = scan.table;
        block.first = scan.first;
        block.count = scan.count;
        block.period = scan.period;
        block.fields = scan.fields.size();
        block.bytes = wire_bytes(cost_.bus().wire, scan.table, scan.count);
        block.time = time;
        result_.cycle += time;
        result_.requests_per_second += 1 / seconds(scan.period);
        result_.bytes_per_second += static_cast<double>(block.bytes) / seconds(scan.period);
        result_.blocks.push_back(block);
    }

    void tell_overload(double alive) {
        if (alive > 1)
            result_.messages.push_back("the periods need " +
                                       std::to_string(std::lround(percent(alive))) +
                                       " % of the wire's time: scans will be skipped");
    }

    PlanSummary& result_;
    CostModel cost_;
    bool many_;
    std::vector<Share> shares_;
};

}  // namespace

PlanSummary summarize(const BusSettings& bus, const std::vector<DeviceSettings>& devices) {
    PlanSummary result;
    Sum sum(result, bus, devices.size());
    for (const DeviceSettings& device : devices) sum.add(device);
    sum.finish();
    return result;
}

}  // namespace fieldgate::southbound::modbus
