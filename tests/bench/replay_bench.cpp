// A backlog leaves beside live data, with the rate cap lifted: points a second, and how much later
// live data arrives than without it.
#include <cstdio>
#include <thread>

#include "base/expect.h"
#include "base/json.h"
#include "tests/bench/rig.h"

namespace fieldgate::bench {
namespace {

using namespace std::chrono_literals;

constexpr int registers = 100;

// Fast, but not faster than a disk keeps up with; without a broker. The books when it has stopped.
Figures fill(Rig& rig, const TcpField& field, std::int64_t points) {
    rig.write_site(field.site(), registers, "20ms");
    rig.start_gateway();
    (void)lab::wait_until([&] { return rig.figures().points >= points; }, 120s);
    const Figures full = rig.figures();
    rig.stop_gateway();
    return full;
}

struct Arrived {
    explicit Arrived(Part& sink) {
        const Result<json::Value> said = json::parse(sink.report());
        expect(said && said->object(), "a report of the sink");
        const auto number = [&](std::string_view key) { return said->get(key)->number(); };
        backlog = number("backlog");
        backlog_s = number("backlog_s");
        live = number("live");
        p50_s = number("p50_s");
        p99_s = number("p99_s");
    }
    double backlog;
    double backlog_s;
    double live;
    double p50_s;
    double p99_s;
};

void print(const Options& options, const Arrived& with, const Arrived& without) {
    const double points = with.backlog * registers;
    std::printf("replay: a backlog of %.1f million points beside %d points/s live\n", points * 1e-6,
                options.connections * TcpField::units * registers);
    std::printf("  backlog                %.2f million points/s: gone after %.2f s (aim 1)\n",
                points / with.backlog_s * 1e-6, with.backlog_s);
    std::printf(
        "  live data, p50 and p99 %.3f and %.3f s from reading to the broker (%.0f records)\n",
        with.p50_s, with.p99_s, with.live);
    std::printf("  without a backlog      %.3f and %.3f s (%.0f records): p99 %+.3f s (aim +1)\n",
                without.p50_s, without.p99_s, without.live, with.p99_s - without.p99_s);
}

}  // namespace

int run_replay(const Options& options) {
    Rig rig;
    TcpField field(options.connections);
    const Figures full = fill(rig, field, std::int64_t{1'000'000} * options.million_points);
    rig.write_site(field.site(), registers, "1s");
    Part sink({FIELDGATE_BENCH_SINK, std::to_string(rig.broker_port())});
    rig.start_gateway();
    const bool gone = lab::wait_until(
        [&] { return rig.figures().acknowledged >= full.accepted - full.evicted; }, 60s);
    const Figures now = rig.figures();
    const double sink_cpu = sink.cpu_s();
    const Arrived with(sink);
    std::this_thread::sleep_for(2s);  // the last of it, and the refresh of every point after it
    (void)Arrived(sink);
    std::this_thread::sleep_for(options.window);
    print(options, with, Arrived(sink));
    std::printf(
        "  gateway                %.3f CPU-s/million points, RSS %.1f MB; sink %.0f %% busy\n",
        now.cpu_s / (with.backlog * registers) * 1e6, now.rss_mb, sink_cpu / with.backlog_s * 100);
    if (!gone) std::puts("  NOT all has arrived");
    if (full.evicted > 0)
        std::printf("  evicted while it grew  %lld records\n",
                    static_cast<long long>(full.evicted));
    return rig.stop_gateway() && gone ? 0 : 1;
}

}  // namespace fieldgate::bench
