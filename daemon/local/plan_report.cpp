#include "daemon/local/plan_report.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <string_view>

#include "base/json_writer.h"
#include "daemon/config/points.h"
#include "northbound/pacer.h"

namespace fieldgate {
namespace {

using southbound::modbus::BlockCost;
using southbound::modbus::PlanSummary;

// What one record costs beside its values: its frame in the batch, its row in the store.
constexpr double frame_bytes = 90;
constexpr double row_bytes = 60;
// "name":12345.6, as most values are.
double value_bytes(const Point& point) { return static_cast<double>(point.property.size()) + 11; }

struct Rates {
    double records = 0;
    double bytes = 0;
};

// One record per service and wire answer.
void add_records(double services, std::chrono::milliseconds every, Rates& rates) {
    const double per_second = services * 1000.0 / static_cast<double>(every.count());
    rates.records += per_second;
    rates.bytes += per_second * frame_bytes;
}

// Those with a point in the block. One that is read by another block of the same registers counts
// as well: rather too many than too few.
std::size_t services_of(const Template& tmpl, const BlockCost& block) {
    std::set<std::string_view> services;
    for (std::size_t i = 0; i < tmpl.points->size(); ++i) {
        const southbound::modbus::Field& field = tmpl.registers->fields[i];
        if (field.table == block.table && field.address >= block.first &&
            field.address - block.first < block.count)
            services.insert((*tmpl.points)[i].service);
    }
    return services.size();
}

void add_values(const Template& tmpl, const DeviceConfig& device, Rates& rates) {
    for (std::size_t i = 0; i < tmpl.points->size(); ++i)
        rates.bytes += value_bytes((*tmpl.points)[i]) * 1000.0 /
                       static_cast<double>(period(tmpl, device, i).count());
}

// The gateway's own: one record per service and period.
Rates own_rates(const Template& tmpl) {
    Rates rates;
    std::set<std::pair<std::string_view, std::chrono::milliseconds>> records;
    for (std::size_t i = 0; i < tmpl.points->size(); ++i) {
        const auto every = period(tmpl, {}, i);
        if (records.emplace((*tmpl.points)[i].service, every).second) add_records(1, every, rates);
    }
    add_values(tmpl, {}, rates);
    return rates;
}

Rates rates_of(const Config& config, const SitePlan& plan) {
    Rates sum;
    for (const SitePlan::Bus& bus : plan.buses) {
        for (const BlockCost& block : bus.summary.blocks) {
            const Template& tmpl = config.templates[config.devices[block.device].device_template];
            add_records(static_cast<double>(services_of(tmpl, block)), block.period, sum);
        }
    }
    for (const DeviceConfig& device : config.devices)
        add_values(config.templates[device.device_template], device, sum);
    return sum;
}

// A message ends when it has waited for linger, or when it has reached one of its limits.
double messages_of(const Config& config, const Rates& sum) {
    const auto& limits = config.platform.limits;
    const double linger =
        std::max(0.001, std::chrono::duration<double>(config.platform.linger).count());
    double ends = 1 / linger;
    ends += sum.bytes / static_cast<double>(northbound::comfortable_payload(limits));
    ends += sum.records / static_cast<double>(limits.history);
    if (config.devices.size() > limits.sub_devices)
        ends += sum.records / static_cast<double>(limits.sub_devices);
    return std::min(sum.records, ends);
}

// "12.3 days": one decimal, or none.
std::string figure(double value, const char* unit, int decimals = 1) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f %s", decimals, value, unit);
    return text;
}

std::string duration_text(double seconds) {
    if (seconds >= 2 * 86400) return figure(seconds / 86400, "days");
    if (seconds >= 2 * 3600) return figure(seconds / 3600, "hours");
    if (seconds >= 1) return figure(seconds, "s");
    return figure(seconds * 1000, "ms");
}

std::string size_text(double bytes) {
    if (bytes >= 1 << 20) return figure(bytes / (1 << 20), "MiB");
    return figure(bytes / 1024, "KiB");
}

double seconds(std::chrono::nanoseconds time) {
    return std::chrono::duration<double>(time).count();
}

std::string block_text(const Config& config, const BlockCost& block) {
    char line[200];
    std::snprintf(line, sizeof line,
                  "  %-20s unit %-3u %s:%u..%u  every %s  %zu points  %zu bytes  %s\n",
                  config.devices[block.device].name.c_str(), block.unit, to_string(block.table),
                  block.first, block.first + block.count - 1U,
                  duration_text(static_cast<double>(block.period.count()) / 1000).c_str(),
                  block.fields, block.bytes, duration_text(seconds(block.time)).c_str());
    return line;
}

void write_blocks(json::Writer& out, const Config& config, const std::vector<BlockCost>& blocks) {
    out.key("blocks").open_array();
    for (const BlockCost& block : blocks) {
        out.open_object().member("device", config.devices[block.device].name);
        out.member("unit", unsigned{block.unit}).member("table", to_string(block.table));
        out.member("first", unsigned{block.first}).member("count", unsigned{block.count});
        out.member("period_ms", block.period.count()).member("points", block.fields);
        out.member("bytes", block.bytes)
            .member("time_ms", seconds(block.time) * 1000)
            .close_object();
    }
    out.close_array();
}

}  // namespace

SitePlan plan_site(const Config& config) {
    SitePlan plan;
    for (std::size_t i = 0; i < config.buses.size(); ++i)
        plan.buses.push_back({config.buses[i].name, southbound::modbus::summarize(
                                                        config.buses[i], devices_of(config, i))});
    Rates sum = rates_of(config, plan);
    double messages = messages_of(config, sum);
    if (config.gateway_template) {
        const Rates own = own_rates(config.templates[*config.gateway_template]);
        sum.records += own.records;
        sum.bytes += own.bytes;
        messages += 2 * own.records;  // alone in a message, which ends the one before it
    }
    plan.records_per_second = sum.records;
    plan.messages_per_day = messages * 86400;
    plan.bytes_per_day = sum.bytes * 86400;
    const double stored = sum.bytes + sum.records * (row_bytes - frame_bytes);
    plan.store_seconds = stored > 0 ? static_cast<double>(config.store.max_size_bytes) / stored : 0;
    return plan;
}

std::string plan_text(const Config& config, const SitePlan& plan) {
    std::string text;
    for (const SitePlan::Bus& bus : plan.buses) {
        const PlanSummary& summary = bus.summary;
        text += "bus " + bus.name + ": " + std::to_string(summary.blocks.size()) +
                " blocks, cycle " + duration_text(seconds(summary.cycle)) + ", load " +
                figure(summary.load_percent, "%");
        for (const auto& dead : summary.dead)
            text += "; with " + std::to_string(dead.devices) + " dead " +
                    figure(dead.offline_percent, "%");
        text += '\n';
        for (const BlockCost& block : summary.blocks) text += block_text(config, block);
        for (const std::string& message : summary.messages) text += "  note: " + message + '\n';
    }
    if (!plan.learned.empty()) text += "learned by the gateway that runs here:\n";
    for (const LearnedLines& device : plan.learned)
        for (const std::string& line : device.lines)
            text += "  " + device.device + "  " + line + '\n';
    text += "to the platform, at most: " + figure(plan.messages_per_day, "messages", 0) + " and " +
            size_text(plan.bytes_per_day) + " a day\n";
    text += "offline, at least: the store of " +
            size_text(static_cast<double>(config.store.max_size_bytes)) + " lasts " +
            duration_text(plan.store_seconds) + '\n';
    return text;
}

std::string plan_json(const Config& config, const SitePlan& plan) {
    std::string text;
    json::Writer out(text);
    out.open_object().key("buses").open_array();
    for (const SitePlan::Bus& bus : plan.buses) {
        const PlanSummary& summary = bus.summary;
        out.open_object()
            .member("name", bus.name)
            .member("cycle_ms", seconds(summary.cycle) * 1000);
        out.member("load_percent", summary.load_percent);
        out.member("requests_per_second", summary.requests_per_second);
        out.member("bytes_per_second", summary.bytes_per_second);
        out.key("dead").open_array();
        for (const auto& dead : summary.dead) {
            out.open_object()
                .member("devices", dead.devices)
                .member("dying_percent", dead.dying_percent);
            out.member("offline_percent", dead.offline_percent).close_object();
        }
        out.close_array();
        write_blocks(out, config, summary.blocks);
        out.key("notes").open_array();
        for (const std::string& message : summary.messages) out.value(message);
        out.close_array().close_object();
    }
    out.close_array().key("learned").open_array();
    for (const LearnedLines& device : plan.learned) {
        out.open_object().member("device", device.device).key("registers").open_array();
        for (const std::string& line : device.lines) out.value(line);
        out.close_array().close_object();
    }
    out.close_array().member("records_per_second", plan.records_per_second);
    out.member("messages_per_day", plan.messages_per_day)
        .member("bytes_per_day", plan.bytes_per_day);
    out.member("store_seconds", plan.store_seconds).close_object();
    return text;
}

}  // namespace fieldgate
