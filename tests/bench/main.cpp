// Prints what the gateway costs and does; judges nothing. See `usage`.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/bench/rig.h"

namespace {

using fieldgate::bench::Options;

constexpr const char* usage = R"(fieldgate-bench [OPTION...]: one run
  --seconds N          how long it is measured (20)
  Modbus TCP, every second:
    --connections N    of ten units of 100 registers (10)
    --flat-out         as fast as it goes
    --outage N         then without the broker for N seconds
  --rtu BAUD           instead: serial lines, one unit on each, as fast as it goes; then a bare
                       libmodbus loop on the same lines
    --lines N          (16)
    --registers N      in a request (100)
    --latency N        of the device, in microseconds (0)
  --replay             instead: a backlog made without a broker leaves beside live data
    --points N         of the backlog, in millions (10)
    --connections N    live, every second (10)
FIELDGATE names another gateway binary to measure.
)";

bool set(Options& options, std::string_view name, int value) {
    if (name == "--seconds")
        options.window = std::chrono::seconds(value);
    else if (name == "--connections")
        options.connections = value;
    else if (name == "--outage")
        options.outage = std::chrono::seconds(value);
    else if (name == "--lines")
        options.lines = value;
    else if (name == "--registers")
        options.registers = value;
    else if (name == "--latency")
        options.latency = std::chrono::microseconds(value);
    else if (name == "--points")
        options.million_points = value;
    else if (name == "--rtu") {
        options.run = Options::Run::rtu;
        options.baud = value;
    } else {
        return false;
    }
    return true;
}

bool parse(Options& options, int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--flat-out") {
            options.flat_out = true;
        } else if (name == "--replay") {
            options.run = Options::Run::replay;
        } else {
            const int value = i + 1 < argc ? std::atoi(argv[++i]) : -1;
            if (value < 0 || !set(options, name, value)) return false;
        }
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    if (argc == 2 && std::string_view(argv[1]) == "--help") {
        std::fputs(usage, stdout);
        return 0;
    }
    if (!parse(options, argc, argv)) {
        std::fputs(usage, stderr);
        return 2;
    }
    switch (options.run) {
        case Options::Run::tcp:
            return fieldgate::bench::run_tcp(options);
        case Options::Run::rtu:
            return fieldgate::bench::run_rtu(options);
        case Options::Run::replay:
            return fieldgate::bench::run_replay(options);
    }
    return 2;
}
