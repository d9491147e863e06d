// fieldgate-demo: plant, platform and gateway together, with a live table of what arrives. Ends
// after
// --for or on Ctrl-C. Exit codes: 0 well, 1 something was missing or wrong, 2 usage.
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <sstream>

#include "tests/lab/demo/field.h"
#include "tests/lab/demo/site.h"
#include "tests/lab/demo/table.h"
#include "tests/lab/demo/verdict.h"
#include "tests/lab/platform/platform.h"

namespace {

using namespace fieldgate;
using namespace fieldgate::lab;
using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr const char* usage =
    "usage: fieldgate-demo --gateway PROGRAM --plant PROGRAM --conf DIR [--for TIME] [--folder "
    "DIR]\n"
    "TIME: 20s, 5m; without it until Ctrl-C. --folder keeps the logs and the store.\n";

volatile std::sig_atomic_t interrupted = 0;

struct Options {
    std::string gateway;
    std::string plant;
    std::filesystem::path conf;
    std::filesystem::path folder;
    std::optional<seconds> duration;
};

std::optional<seconds> parse_duration(const std::string& text) {
    char* end = nullptr;
    const long count = std::strtol(text.c_str(), &end, 10);
    const std::string unit = end;
    if (count <= 0 || (unit != "s" && unit != "m")) return std::nullopt;
    return seconds(unit == "m" ? count * 60 : count);
}

std::optional<Options> parse(int count, char** arguments) {
    Options options;
    for (int i = 1; i < count; i += 2) {
        if (i + 1 >= count) return std::nullopt;
        const std::string key = arguments[i];
        const std::string value = arguments[i + 1];
        if (key == "--gateway")
            options.gateway = value;
        else if (key == "--plant")
            options.plant = value;
        else if (key == "--conf")
            options.conf = value;
        else if (key == "--folder")
            options.folder = std::filesystem::absolute(value);
        else if (key == "--for")
            options.duration = parse_duration(value);
        else
            return std::nullopt;
        if (key == "--for" && !options.duration) return std::nullopt;
    }
    if (options.gateway.empty() || options.plant.empty() || options.conf.empty())
        return std::nullopt;
    return options;
}

std::string random_secret() {
    std::random_device source;
    std::string text;
    for (int i = 0; i < 32; ++i) text += "0123456789abcdef"[source() & 15U];
    return text;
}

std::int64_t now_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<milliseconds>(now).count();
}

Platform::Settings platform_settings(const Options& options, const std::string& secret,
                                     Product product) {
    Platform::Settings settings;
    settings.devices = {{Site::gateway, secret}};
    settings.folder = options.folder / "platform";
    std::filesystem::create_directories(settings.folder);
    for (const std::string& node : Site::nodes())
        settings.rules.sub_devices.insert(Site::device(node));
    settings.rules.products.emplace(Site::product, std::move(product));
    return settings;
}

// Alarms have a lane of their own, and may overtake.
constexpr std::size_t lanes_with_alarms = 2;

class Show {
public:
    explicit Show(const Platform& platform)
        : platform_(platform), table_(columns()), live_(isatty(STDOUT_FILENO) == 1) {
        if (live_) std::cout << "\033[2J";
    }

    // A terminal sees it move; a log gets the table every few seconds.
    void turn() {
        for (const Record& record : platform_.records(records_)) {
            table_.add(record);
            ++records_;
        }
        const Clock::time_point now = Clock::now();
        if (now < next_) return;
        next_ = now + (live_ ? milliseconds(250) : seconds(5));
        print();
    }

    void print() const {
        Table::Scene scene;
        scene.now = now_ms();
        scene.running_ms = std::chrono::duration_cast<milliseconds>(Clock::now() - began_).count();
        scene.counts = platform_.counts();
        scene.violations = platform_.violations().size();
        for (const std::string& node : Site::nodes())
            scene.statuses[Site::device(node)] = platform_.status(Site::device(node));
        std::string text = live_ ? "\033[H" : "\n";
        for (const std::string& line : table_.lines(scene))
            text += line + (live_ ? "\033[K\n" : "\n");
        std::cout << text << (live_ ? "\033[J" : "") << std::flush;
    }

private:
    static std::vector<Table::Column> columns() {
        std::vector<Table::Column> all;
        for (const std::string& node : Site::nodes()) all.push_back({Site::device(node), node});
        return all;
    }

    const Platform& platform_;
    Table table_;
    bool live_;
    std::size_t records_ = 0;
    Clock::time_point began_ = Clock::now();
    Clock::time_point next_ = began_;
};

std::vector<std::string> tail_of(const std::filesystem::path& file, std::size_t count) {
    std::istringstream text(read_file(file));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<long>(count));
    return lines;
}

// Shows until the end; what went wrong with the processes meanwhile.
std::vector<std::string> watch(const Options& options, const Platform& platform, Field& field,
                               Child& gateway) {
    std::vector<std::string> faults;
    const Clock::time_point began = Clock::now();
    Show show(platform);
    const auto over = [&] {
        show.turn();
        if (!gateway.running()) faults.emplace_back("the gateway ended by itself");
        if (!field.running()) faults.emplace_back("the plant ended by itself");
        return interrupted != 0 || !faults.empty() ||
               (options.duration && Clock::now() - began >= *options.duration);
    };
    while (!wait_until(over, milliseconds(1000))) {
    }
    if (!gateway.running()) return faults;
    const std::optional<int> code = gateway.stop(seconds(5));
    if (!code)
        faults.emplace_back("the gateway did not stop within 5 s of SIGTERM");
    else if (*code != 0)
        faults.push_back("the gateway exited " + std::to_string(*code));
    if (!platform.catch_up()) faults.emplace_back("the journal was not read to its end");
    for (const std::string& node : Site::nodes())
        if (platform.status(Site::device(node)) != "OFFLINE")
            faults.push_back(node + " was not reported OFFLINE before the stop");
    show.print();
    return faults;
}

int conclude(const Options& options, const Platform& platform, Field& field,
             std::vector<std::string> faults) {
    field.stop();
    const Truth truth = field.truth();
    for (const std::string& fault :
         verdict(truth, Field::tick, platform.records(), platform.violations()))
        // Who stops it by hand may do so before everything has come.
        if (options.duration || !fault.starts_with("missing: ")) faults.push_back(fault);
    const Counts counts = platform.counts();
    if (faults.empty()) {
        std::cout << "\nwell: " << truth.properties().size() << " properties of "
                  << Site::nodes().size() << " devices arrived, " << counts.values << " values in "
                  << counts.batches << " batches, each as the plant had it at its event time\n";
        return 0;
    }
    std::cout << "\nnot well:\n";
    for (const std::string& fault : faults) std::cout << "  " << fault << "\n";
    std::cout << "the gateway's last words:\n";
    for (const std::string& line : tail_of(options.folder / "gateway.log", 20))
        std::cout << "  " << line << "\n";
    return 1;
}

int demonstrate(const Options& options) {
    Result<Product> product = Product::read(options.conf / "models" / "PowerMeter");
    if (!product) {
        std::cerr << product.error().what << "\n";
        return 1;
    }
    std::cout << "plant     starting " << options.plant << std::endl;
    Result<Field> field = Field::start(options.plant, options.folder / "plant");
    if (!field) {
        std::cerr << "plant     " << field.error().what << "\n";
        return 1;
    }
    std::cout << "plant     meters on " << field->serial()
              << ", press on 127.0.0.1:" << field->tcp_port()
              << "\nplatform  making keys, starting mosquitto" << std::endl;
    const std::string secret = random_secret();
    Platform::Settings settings = platform_settings(options, secret, *std::move(product));
    settings.rules.lanes = lanes_with_alarms;
    Platform platform(std::move(settings));
    std::cout << "platform  " << platform.endpoint() << std::endl;
    const Site site({options.folder / "site", options.conf, platform.endpoint(), platform.ca(),
                     secret, field->serial(), field->tcp_port()});
    Child::Options logged;
    logged.output = options.folder / "gateway.log";
    Child gateway({options.gateway, "run", "--config", site.file()}, logged);
    std::cout << "gateway   running on " << site.file().string() << std::endl;
    std::vector<std::string> faults = watch(options, platform, *field, gateway);
    return conclude(options, platform, *field, std::move(faults));
}

}  // namespace

int main(int count, char** arguments) {
    std::optional<Options> options = parse(count, arguments);
    if (!options) {
        std::fputs(usage, stderr);
        return 2;
    }
    std::signal(SIGINT, [](int) { interrupted = 1; });
    std::signal(SIGTERM, [](int) { interrupted = 1; });
    std::optional<TempDir> own;
    if (options->folder.empty()) options->folder = own.emplace().path();
    std::filesystem::create_directories(options->folder);
    return demonstrate(*options);
}
