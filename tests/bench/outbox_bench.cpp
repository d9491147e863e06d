// What the outbox costs: records stored, opened, rescued, and read back and handed out. Prints
// figures; judges none.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

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

// Of a store as it is, in the page cache.
void print_opening(const char* how, const std::string& folder) {
    const double gigabytes = static_cast<double>(fs::file_size(folder + "/outbox.db")) * 1e-9;
    const auto start = Clock::now();
    const double cpu = cpu_seconds();
    Site site(folder);
    if (!site.open()) return;
    std::printf("%-14s %9.2f s/GB       %6.2f CPU-s/GB    %9.0f records, %.0f lost\n", how,
                seconds_since(start) / gigabytes, (cpu_seconds() - cpu) / gigabytes,
                static_cast<double>(site.outbox->status().books.pending),
                static_cast<double>(site.outbox->status().books.quarantined));
}

// `crashed`: the files of a store that is open.
void measure_opening(const std::string& crashed) {
    const TempFolder folder;
    copy_store(crashed, folder.path());
    print_opening("open, crashed", folder.path());
    print_opening("open, in order", folder.path());
    const std::string file = folder.path() + "/outbox.db";
    std::fstream page(file, std::ios::in | std::ios::out | std::ios::binary);
    page.seekp(static_cast<std::streamoff>(fs::file_size(file) / 8192 * 4096));
    page << std::string(4096, '\xAA');
    page.close();
    print_opening("rescue", folder.path());
}

constexpr std::size_t body_bytes = 1200;  // a hundred points

void append(Site& site, long records) {
    Record made = record(1);
    made.properties.resize(body_bytes, ' ');
    for (long number = 0; number < records; ++number) {
        made.at += std::chrono::milliseconds(1);
        site.append(made);
        // As a bus would come back to the loop; never so far ahead that RAM overflows.
        if (number % 500 == 499) site.until([&] { return site.outbox->status().buffered < 2000; });
    }
    site.flush();
}

// A store to be tried elsewhere, closed in order.
int make(const std::string& folder, double gigabytes) {
    Site site(folder);
    site.settings.max_size_bytes = 1UL << 40;
    if (!site.open()) return 1;
    append(site, static_cast<long>(gigabytes * 1e9 / body_bytes));
    return 0;
}

}  // namespace

//   fieldgate-bench-outbox [RECORDS]
//   fieldgate-bench-outbox --make FOLDER GIGABYTES
int main(int argc, char** argv) {
    if (argc == 4 && std::string(argv[1]) == "--make") return make(argv[2], std::atof(argv[3]));
    const long records = argc > 1 ? std::atol(argv[1]) : 100'000;
    const TempFolder folder;
    Site site(folder.path());
    if (!site.open()) return 1;
    auto start = Clock::now();
    double cpu = cpu_seconds();
    append(site, records);
    const double storing = seconds_since(start);
    const OutboxStatus status = site.outbox->status();
    std::printf("append+commit  %9.0f records/s  %6.2f CPU-us/record  %6.0f bytes written/record\n",
                static_cast<double>(records) / storing,
                (cpu_seconds() - cpu) * 1e6 / static_cast<double>(records),
                static_cast<double>(status.written_bytes) / static_cast<double>(records));
    measure_opening(folder.path());
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
