// What the outbox costs: records stored, and read back and handed out. Prints figures; judges none.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

#include "tests/storage/site.h"

namespace {

using namespace fieldgate;           // NOLINT(google-build-using-namespace)
using namespace fieldgate::storage;  // NOLINT(google-build-using-namespace)
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
    const long records = argc > 1 ? std::atol(argv[1]) : 100'000;
    const TempFolder folder;
    Site site(folder.path());
    if (!site.open()) return 1;
    Record made = record(1);
    made.properties.resize(1200, ' ');  // a hundred points
    auto start = Clock::now();
    double cpu = cpu_seconds();
    for (long number = 0; number < records; ++number) {
        made.at += std::chrono::milliseconds(1);
        site.append(made);
        // As a bus would come back to the loop; never so far ahead that RAM overflows.
        if (number % 500 == 499) site.until([&] { return site.outbox->status().buffered < 2000; });
    }
    site.flush();
    const double storing = seconds_since(start);
    const OutboxStatus status = site.outbox->status();
    std::printf("append+commit  %9.0f records/s  %6.2f CPU-us/record  %6.0f bytes written/record\n",
                static_cast<double>(records) / storing,
                (cpu_seconds() - cpu) * 1e6 / static_cast<double>(records),
                static_cast<double>(status.written_bytes) / static_cast<double>(records));
    site.outbox->mark_backlog();
    start = Clock::now();
    cpu = cpu_seconds();
    std::uint64_t handed_out = 0;
    while (site.outbox->status().books.pending > 0) {
        std::size_t in_parcel = 0;
        const Lease lease = site.run(site.outbox->take(
            [&](const Record&) { return in_parcel++ < 50 ? Fit::taken : Fit::full; },
            std::chrono::milliseconds(0)));
        handed_out += lease.records;
        site.outbox->remove(lease);
    }
    const double replaying = seconds_since(start);
    std::printf("replay         %9.0f records/s  %6.2f CPU-us/record\n",
                static_cast<double>(handed_out) / replaying,
                (cpu_seconds() - cpu) * 1e6 / static_cast<double>(handed_out));
    const Books books = site.outbox->status().books;
    std::printf("books          accepted %llu acknowledged %llu evicted %llu\n",
                static_cast<unsigned long long>(books.accepted),
                static_cast<unsigned long long>(books.acknowledged),
                static_cast<unsigned long long>(books.evicted));
    return 0;
}
