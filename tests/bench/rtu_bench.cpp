// Modbus RTU on paced lines, as fast as it goes: transactions against what the lines can carry, the
// silences, and CPU beside that of a bare libmodbus loop.
#include <cstdio>
#include <thread>

#include "base/expect.h"
#include "base/json.h"
#include "tests/bench/rig.h"

namespace fieldgate::bench {
namespace {

using namespace std::chrono_literals;

constexpr int bits_per_character = 11;                // 8E1
constexpr std::chrono::seconds cpu_window_max = 20s;  // where only CPU is looked at
constexpr const char* never = "1000000";              // a change that no register makes

// What one line can carry: Modbus Serial Line V1.02, 2.5.1.1 for the silence t3.5, which is kept
// twice: before an answer, and before the next request.
double transactions_per_second(const Options& options, int silences = 2) {
    const double character = static_cast<double>(bits_per_character) / options.baud;
    const double silence = options.baud <= 19200 ? 3.5 * character : 1.75e-3;
    const double latency = std::chrono::duration<double>(options.latency).count();
    const int request = 8;
    const int reply = 5 + 2 * options.registers;
    return 1 / ((request + reply) * character + silences * silence + latency);
}

class RtuField {
public:
    struct Report {
        double requests = 0;
        double requests_per_second = 0;
        double violations = 0;
        double late_us = 0;  ///< Answers, on average: what the field itself takes from the rate.
    };

    RtuField(const std::filesystem::path& folder, const Options& options)
        : folder_(folder),
          lines_(options.lines),
          process_({FIELDGATE_BENCH_RTU_FIELD, folder.string(), std::to_string(options.lines),
                    std::to_string(options.baud), std::to_string(options.latency.count())}) {}

    std::vector<std::string> paths() const {
        std::vector<std::string> paths;
        for (int i = 0; i < lines_; ++i) paths.push_back(folder_ / ("line" + std::to_string(i)));
        return paths;
    }

    /// On what happened since the last.
    Report report() {
        const Result<json::Value> said = json::parse(process_.report());
        expect(said && said->object(), "a report of the field");
        Report report;
        report.requests = said->get("requests")->number();
        report.requests_per_second = said->get("requests_per_second")->number();
        report.violations = said->get("violations")->number();
        report.late_us = said->get("late_us")->number();
        return report;
    }

    double cpu_s() const { return process_.cpu_s(); }

private:
    std::filesystem::path folder_;
    int lines_;
    Part process_;
};

std::string site(const std::vector<std::string>& paths, int baud) {
    std::string text = "buses:\n";
    for (std::size_t i = 0; i < paths.size(); ++i)
        text += "  line" + std::to_string(i) + ": { protocol: modbus-rtu, serial: " + paths[i] +
                ", line: " + std::to_string(baud) + " 8E1 }\n";
    text += "devices:\n";
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const std::string line = std::to_string(i);
        text += "  - { name: meter" + line + ", unit: 1, template: points, bus: line" + line +
                ", node_id: M" + line + " }\n";
    }
    return text;
}

struct Load {
    RtuField::Report field;
    double field_cpu_s = 0;
    double cpu_s = 0;
    Load operator-(const Load& from) const {
        return {field, field_cpu_s - from.field_cpu_s, cpu_s - from.cpu_s};
    }
    double per_thousand() const { return cpu_s / field.requests * 1e3; }
};

Load load(RtuField& field, pid_t poller) {
    return {field.report(), field.cpu_s(), cpu_seconds(poller)};
}

Load measure(RtuField& field, pid_t poller, std::chrono::seconds window) {
    const Load from = load(field, poller);
    std::this_thread::sleep_for(window);
    return load(field, poller) - from;
}

Load measure_loop(const Options& options, RtuField& field) {
    std::vector<std::string> command{FIELDGATE_BENCH_RTU_LOOP, std::to_string(options.baud),
                                     std::to_string(options.registers)};
    for (const std::string& path : field.paths()) command.push_back(path);
    const lab::Child loop(command);
    std::this_thread::sleep_for(1s);
    return measure(field, loop.pid(), std::min(options.window, cpu_window_max));
}

Load measure_gateway(Rig& rig, RtuField& field, std::chrono::seconds window) {
    rig.start_gateway();
    std::this_thread::sleep_for(5s);  // to a steady state: connected, the store at work
    const Figures from = rig.figures();
    const Load load = measure(field, rig.gateway(), window);
    const std::int64_t errors = rig.figures().wire_errors - from.wire_errors;
    if (errors > 0) std::printf("WIRE ERRORS: %lld\n", static_cast<long long>(errors));
    if (!rig.stop_gateway()) std::puts("the gateway did not stop well");
    return load;
}

void print(const Options& options, const Load& gateway, const Load& polling, const Load& loop) {
    const double theory = transactions_per_second(options) * options.lines;
    const double rate = gateway.field.requests_per_second;
    const double seconds = static_cast<double>(options.window.count());
    std::printf("RTU at %d: %d lines x %d registers, device latency %lld us, %.0f s\n",
                options.baud, options.lines, options.registers,
                static_cast<long long>(options.latency.count()), seconds);
    std::printf("  transactions/s         %.2f of %.2f: %.2f %% of theory (aim %d)\n", rate, theory,
                rate / theory * 100, options.baud > 19200 ? 98 : 99);
    std::printf("  t3.5 violations        %.0f (aim 0)\n", gateway.field.violations);
    std::printf("  field                  answers %.0f us late on average, %.1f %% of a core\n",
                gateway.field.late_us, gateway.field_cpu_s / seconds * 100);
    // It keeps no silence before a request. What it misses of its own limit is the machine's doing.
    std::printf("  bare libmodbus loop    %.2f %% of theory, %.2f %% possible; %.0f violations\n",
                loop.field.requests_per_second / theory * 100,
                transactions_per_second(options, 1) / transactions_per_second(options) * 100,
                loop.field.violations);
    const double bare = loop.per_thousand();
    std::printf("  CPU-s/1000 transactions\n");
    std::printf("    bare loop            %.4f\n", bare);
    std::printf("    all stored and sent  %.4f, ratio %.2f (aim 0.6)\n", gateway.per_thousand(),
                gateway.per_thousand() / bare);
    std::printf("    nothing to report    %.4f, ratio %.2f\n", polling.per_thousand(),
                polling.per_thousand() / bare);
}

}  // namespace

int run_rtu(const Options& options) {
    Rig rig;
    RtuField field(rig.file(""), options);
    const std::string buses = site(field.paths(), options.baud);
    const std::chrono::seconds cpu_window = std::min(options.window, cpu_window_max);
    rig.start_mosquitto();
    rig.write_site(buses, options.registers, "1ms");
    const Load gateway = measure_gateway(rig, field, options.window);
    rig.write_site(buses, options.registers, "1ms", never);
    const Load polling = measure_gateway(rig, field, cpu_window);
    print(options, gateway, polling, measure_loop(options, field));
    return gateway.field.requests > 0 && polling.field.requests > 0 ? 0 : 1;
}

}  // namespace fieldgate::bench
