// Modbus TCP: CPU seconds per million points, memory, points a second, scan jitter, an outage.
#include <cstdio>
#include <thread>

#include "tests/bench/rig.h"

namespace fieldgate::bench {
namespace {

using namespace std::chrono_literals;

constexpr int registers_of_each = 100;

void print(const Options& options, const Figures& from, const Figures& to,
           const std::string& intervals) {
    const double seconds = seconds_between(from, to);
    const double points = static_cast<double>(to.points - from.points);
    const double cpu = to.cpu_s - from.cpu_s;
    std::printf("%s: %d connections x %d units x %d registers, %.0f s\n",
                options.flat_out ? "flat out" : "every second", options.connections,
                TcpField::units, registers_of_each, seconds);
    std::printf("  points/s               %.0f\n", points / seconds);
    std::printf("  CPU-s/million points   %.3f (aim 0.%s)\n", cpu / points * 1e6,
                options.flat_out ? "22" : "40");
    std::printf("  CPU of one core        %.2f %%\n", cpu / seconds * 100);
    std::printf("  RSS                    %.1f MB%s\n", to.rss_mb,
                options.flat_out ? "" : " (aim 20 at 10,000 points)");
    const auto per_second = [&](std::int64_t begin, std::int64_t end) {
        return static_cast<double>(end - begin) / seconds;
    };
    // Where they differ the disk or the broker did not keep up, and the CPU is that of less work.
    std::printf("  records/s              %.0f accepted, %.0f acknowledged, %.0f evicted\n",
                per_second(from.accepted, to.accepted),
                per_second(from.acknowledged, to.acknowledged),
                per_second(from.evicted, to.evicted));
    std::printf("  scans skipped          %lld\n",
                static_cast<long long>(to.overruns - from.overruns));
    std::printf("  scan intervals         %s%s\n", intervals.c_str(),
                options.flat_out ? "" : " (aim p99 5, mean 1000 +- 0.1)");
}

// Memory and books through the absence of the broker and until all has arrived after it.
bool outage(const Options& options, Rig& rig) {
    const Figures before = rig.figures();
    rig.stop_broker();
    double most = before.rss_mb;
    for (const auto until = before.at + options.outage; std::chrono::steady_clock::now() < until;) {
        std::this_thread::sleep_for(1s);
        most = std::max(most, rig.figures().rss_mb);
    }
    const Figures away = rig.figures();
    rig.start_mosquitto();
    Figures now = away;
    const bool connected = lab::wait_until([&] { return (now = rig.figures()).connected; }, 60s);
    const Figures back = now;
    const bool drained = connected && lab::wait_until(
                                          [&] {
                                              now = rig.figures();
                                              most = std::max(most, now.rss_mb);
                                              return now.acknowledged >= back.accepted;
                                          },
                                          60s);
    std::this_thread::sleep_for(5s);
    const Figures after = rig.figures();
    std::printf(
        "  outage of %lld s        RSS %.1f MB before, %.1f at its end, %.1f at most until "
        "all was sent, %.1f after: %+.1f MB at most (aim +10)\n",
        static_cast<long long>(options.outage.count()), before.rss_mb, away.rss_mb, most,
        after.rss_mb, std::max(most, after.rss_mb) - before.rss_mb);
    std::printf(
        "  kept and sent          %lld records, %s, %lld evicted, gone %.1f s after the "
        "connection\n",
        static_cast<long long>(back.accepted - before.acknowledged), drained ? "all" : "NOT all",
        static_cast<long long>(now.evicted - before.evicted), seconds_between(back, now));
    return drained;
}

}  // namespace

int run_tcp(const Options& options) {
    Rig rig;
    TcpField field(options.connections);
    rig.write_site(field.site(), registers_of_each, options.flat_out ? "1ms" : "1s");
    rig.start_mosquitto();
    rig.start_gateway();
    std::this_thread::sleep_for(5s);  // to a steady state: connected, the store at work
    (void)field.intervals();
    const Figures from = rig.figures();
    std::this_thread::sleep_for(options.window);
    const Figures to = rig.figures();
    print(options, from, to, field.intervals());
    const bool drained = options.outage == 0s || outage(options, rig);
    return rig.stop_gateway() && drained ? 0 : 1;
}

}  // namespace fieldgate::bench
