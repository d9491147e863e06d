// Serial lines that cost nothing of what is measured: paced ptys with one unit each, unit 1.
//   fieldgate-bench-rtu-field FOLDER LINES BAUD LATENCY_US
// The lines are FOLDER/line0 and so on. Prints a line when they are there; on SIGUSR1 one JSON line
// about the time since the last.
#include <sched.h>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <list>

#include "tests/lab/plant/paced_pty.h"

namespace {

using fieldgate::lab::Bytes;
using fieldgate::lab::PacedPty;
using fieldgate::lab::Spoiled;
using Clock = std::chrono::steady_clock;

class Line {
public:
    Line(const asio::any_io_executor& loop, const std::string& link,
         fieldgate::lab::LineOptions options)
        : pty_(std::make_shared<PacedPty>(loop, link, options,
                                          [this](const Bytes& frame) { return answer(frame); })) {
        pty_->plug();
    }

    /// Of the time between the last request before and the last one now; then begins anew.
    double requests_per_second() {
        const double seconds = std::chrono::duration<double>(asked_ - from_).count();
        const double rate = seconds > 0 ? (counter_ - counted_) / seconds : 0;
        from_ = asked_;
        counted_ = counter_;
        return rate;
    }

    const PacedPty& pty() const { return *pty_; }

private:
    // FC 3 and 4: registers that count on with every request.
    Spoiled answer(const Bytes& frame) {
        asked_ = Clock::now();
        ++counter_;
        const std::size_t count = static_cast<std::size_t>(frame[4] << 8 | frame[5]);
        Bytes reply{frame[0], frame[1], static_cast<std::uint8_t>(count * 2)};
        for (std::size_t i = 0; i < count; ++i) {
            const auto value = static_cast<std::uint16_t>(counter_ * 7 + i * 131);
            reply.push_back(static_cast<std::uint8_t>(value >> 8));
            reply.push_back(static_cast<std::uint8_t>(value));
        }
        const std::uint16_t crc = fieldgate::lab::crc16(reply);
        reply.push_back(static_cast<std::uint8_t>(crc));
        reply.push_back(static_cast<std::uint8_t>(crc >> 8));
        Spoiled spoiled;
        spoiled.chunks.emplace_back().bytes = std::move(reply);
        return spoiled;
    }

    std::shared_ptr<PacedPty> pty_;
    std::uint32_t counter_ = 0;
    std::uint32_t counted_ = 0;
    Clock::time_point asked_;
    Clock::time_point from_;
};

struct Totals {
    std::uint64_t requests = 0;
    std::uint64_t violations = 0;
    std::chrono::nanoseconds late{0};
    double requests_per_second = 0;
};

Totals totals(std::list<Line>& lines) {
    Totals sum;
    for (Line& line : lines) {
        sum.requests += line.pty().requests();
        sum.violations += line.pty().silence_violations();
        sum.late += line.pty().late();
        sum.requests_per_second += line.requests_per_second();
    }
    return sum;
}

void report(const Totals& from, const Totals& to) {
    const std::uint64_t requests = to.requests - from.requests;
    const double late_us = std::chrono::duration<double, std::micro>(to.late - from.late).count();
    std::printf(
        "{\"requests\":%llu,\"requests_per_second\":%.3f,\"violations\":%llu,\"late_us\":%.1f}\n",
        static_cast<unsigned long long>(requests), to.requests_per_second,
        static_cast<unsigned long long>(to.violations - from.violations),
        requests == 0 ? 0 : late_us / static_cast<double>(requests));
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    // Real devices do not wait for our processors either; without the right to it, so be it.
    const sched_param first{1};
    ::sched_setscheduler(0, SCHED_FIFO, &first);

    asio::io_context loop(1);
    fieldgate::lab::LineOptions options;
    options.baud = static_cast<std::uint32_t>(std::atoi(argv[3]));
    options.latency = std::chrono::microseconds(std::atoi(argv[4]));
    std::list<Line> lines;
    for (int i = 0; i < std::atoi(argv[2]); ++i)
        lines.emplace_back(loop.get_executor(), argv[1] + std::string("/line") + std::to_string(i),
                           options);
    std::puts("ready");
    std::fflush(stdout);

    asio::signal_set signals(loop, SIGUSR1, SIGTERM);
    Totals last;
    std::function<void()> listen = [&] {
        signals.async_wait([&](auto failed, int number) {
            if (failed || number == SIGTERM) return loop.stop();
            const Totals now = totals(lines);
            report(last, now);
            last = now;
            listen();
        });
    };
    listen();
    loop.run();
}
