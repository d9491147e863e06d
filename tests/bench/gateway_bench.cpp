// What the gateway costs: CPU seconds per million points, memory, points a second, scan jitter.
//   fieldgate-bench [--seconds N] [--connections N] [--flat-out] [--outage N]
// Field, broker and gateway are processes of their own on this machine; only the gateway's CPU
// counts.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "base/json.h"
#include "tests/lab/process.h"

using namespace std::chrono_literals;

namespace fieldgate::lab {
namespace {

constexpr int units = 10;
constexpr int registers = 100;

struct Options {
    int seconds = 20;
    int connections = 10;
    bool flat_out = false;
    int outage_seconds = 0;
};

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--flat-out") {
            options.flat_out = true;
            continue;
        }
        if (i + 1 == argc) break;
        const int value = std::atoi(argv[++i]);
        if (name == "--seconds") options.seconds = value;
        if (name == "--connections") options.connections = value;
        if (name == "--outage") options.outage_seconds = value;
    }
    return options;
}

std::string site_yaml(const std::vector<std::string>& ports, std::uint16_t broker) {
    std::string text =
        "schema: 1\nplatform:\n  endpoint: mqtt://127.0.0.1:" + std::to_string(broker) +
        "\n  device_id: bench_GW\n  auth: { secret: cred:gateway }\n"
        "  limits: { messages: unlimited, bandwidth: unlimited }\n"
        "store: { path: store, keep_free: 1MiB }\nlocal: { control: control.sock }\n"
        "templates: [hundred.yaml]\nbuses:\n";
    for (std::size_t i = 0; i < ports.size(); ++i)
        text += "  plc" + std::to_string(i) +
                ": { protocol: modbus-tcp, tcp: \"127.0.0.1:" + ports[i] + "\" }\n";
    text += "devices:\n";
    for (std::size_t i = 0; i < ports.size(); ++i)
        text += "  - { name: \"plc" + std::to_string(i) + "-{unit}\", unit: 1.." +
                std::to_string(units) + ", template: hundred, bus: plc" + std::to_string(i) +
                ", node_id: \"P" + std::to_string(i) + "-{unit}\" }\n";
    return text;
}

std::string template_yaml(bool flat_out) {
    std::string text =
        "template: hundred\nproduct_id: bench\nprotocol: modbus\ndefaults: { every: " +
        std::string(flat_out ? "1ms" : "1s") + " }\nservices:\n  Registers:\n";
    for (int i = 0; i < registers; ++i)
        text += "    value" + std::to_string(i) + ": { at: \"holding:" + std::to_string(i) +
                "\", type: u16, scale: 0.1 }\n";
    return text;
}

std::string broker_conf(std::uint16_t port) {
    return "listener " + std::to_string(port) +
           " 127.0.0.1\nallow_anonymous true\nuser root\nlog_type none\nmax_inflight_messages 0\n";
}

struct Sample {
    double cpu_s = 0;
    double rss_mb = 0;
    std::int64_t readings = 0;
    std::int64_t acknowledged = 0;
    std::int64_t overruns = 0;
};

class Bench {
public:
    Bench(const Options& options, std::string gateway)
        : options_(options), gateway_file_(std::move(gateway)) {}

    int run();

private:
    void start();
    Sample sample();
    void start_broker();
    void print(const Sample& from, const Sample& to, double seconds);

    Options options_;
    std::string gateway_file_;
    TempDir dir_;
    std::uint16_t broker_port_ = free_port();
    std::optional<Child> field_;
    std::optional<Child> broker_;
    std::optional<Child> gateway_;
};

void Bench::start_broker() {
    write_file(dir_ / "mosquitto.conf", broker_conf(broker_port_));
    broker_.emplace(
        std::vector<std::string>{"mosquitto", "-c", (dir_ / "mosquitto.conf").string()});
}

void Bench::start() {
    Child::Options lines;
    lines.lines = true;
    field_.emplace(
        std::vector<std::string>{FIELDGATE_BENCH_FIELD, std::to_string(options_.connections)},
        lines);
    std::istringstream first(field_->read_line(5s).value_or(""));
    std::vector<std::string> ports;
    for (std::string port; first >> port;) ports.push_back(port);
    start_broker();
    std::filesystem::create_directory(dir_ / "credentials");
    write_file(dir_ / "credentials/gateway", "secret");
    std::filesystem::permissions(dir_ / "credentials/gateway", std::filesystem::perms::owner_read);
    write_file(dir_ / "fieldgate.yaml", site_yaml(ports, broker_port_));
    write_file(dir_ / "hundred.yaml", template_yaml(options_.flat_out));
    Child::Options output;
    output.output = dir_ / "gateway.log";
    gateway_.emplace(std::vector<std::string>{gateway_file_, "run", "--config",
                                              (dir_ / "fieldgate.yaml").string()},
                     output);
}

Sample Bench::sample() {
    Sample sample;
    const std::string stat = read_file("/proc/" + std::to_string(gateway_->pid()) + "/stat");
    std::istringstream fields(stat.substr(stat.rfind(')') + 2));
    std::vector<std::string> words;
    for (std::string word; fields >> word;) words.push_back(word);
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    sample.cpu_s = (std::stod(words.at(11)) + std::stod(words.at(12))) / ticks;
    sample.rss_mb =
        std::stod(words.at(21)) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
    const Finished status = lab::run(
        {gateway_file_, "status", "--json", "--control", (dir_ / "control.sock").string()});
    json::Limits wide;
    wide.bytes = status.output.size();
    const Result<json::Value> parsed = json::parse(status.output, wide);
    if (!parsed) {
        std::fprintf(stderr, "no status: %s\n%s\n", status.output.c_str(),
                     read_file(dir_ / "gateway.log").c_str());
        std::exit(1);
    }
    sample.readings = *(*parsed).get("readings")->get("read")->integer();
    sample.acknowledged = *(*parsed).get("books")->get("acknowledged")->integer();
    for (const json::Value& bus : *(*parsed).get("buses")->array())
        sample.overruns += *bus.get("overruns")->integer();
    return sample;
}

void Bench::print(const Sample& from, const Sample& to, double seconds) {
    const double points = static_cast<double>(to.readings - from.readings);
    const double cpu = to.cpu_s - from.cpu_s;
    std::printf("%s: %d connections x %d units x %d registers, %.0f s\n",
                options_.flat_out ? "flat out" : "every second", options_.connections, units,
                registers, seconds);
    std::printf("  points/s               %.0f\n", points / seconds);
    std::printf("  CPU-s/million points   %.3f\n", cpu / points * 1e6);
    std::printf("  CPU of one core        %.2f %%\n", cpu / seconds * 100);
    std::printf("  RSS                    %.1f MB\n", to.rss_mb);
    std::printf("  records acknowledged/s %.0f\n",
                static_cast<double>(to.acknowledged - from.acknowledged) / seconds);
    std::printf("  scans skipped          %lld\n",
                static_cast<long long>(to.overruns - from.overruns));
    field_->signal(SIGUSR1);
    std::printf("  scan intervals         %s\n", field_->read_line(5s).value_or("none").c_str());
}

int Bench::run() {
    start();
    if (!wait_until([&] { return std::filesystem::exists(dir_ / "control.sock"); }, 10s)) {
        std::fputs(read_file(dir_ / "gateway.log").c_str(), stderr);
        return 1;
    }
    std::this_thread::sleep_for(5s);  // to a steady state: connected, the store at work
    field_->signal(SIGUSR1);
    (void)field_->read_line(5s);
    const auto begin = std::chrono::steady_clock::now();
    const Sample from = sample();
    std::this_thread::sleep_for(std::chrono::seconds(options_.seconds));
    const Sample to = sample();
    print(from, to,
          std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    if (options_.outage_seconds > 0) {
        broker_->kill();
        std::this_thread::sleep_for(std::chrono::seconds(options_.outage_seconds));
        std::printf("  RSS after %d s offline  %.1f MB\n", options_.outage_seconds,
                    sample().rss_mb);
        const Sample away = sample();
        start_broker();
        const auto back = std::chrono::steady_clock::now();
        const std::int64_t wanted =
            away.acknowledged +
            static_cast<std::int64_t>(options_.outage_seconds) * options_.connections * units;
        const bool drained = wait_until([&] { return sample().acknowledged >= wanted; }, 60s);
        const double took =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - back).count();
        std::printf("  replayed               %s in %.1f s after the broker came back\n",
                    drained ? "all" : "NOT all", took);
    }
    const std::optional<int> code = gateway_->stop();
    return code == 0 ? 0 : 1;
}

}  // namespace
}  // namespace fieldgate::lab

int main(int argc, char** argv) {
    const char* gateway = std::getenv("FIELDGATE");
    fieldgate::lab::Bench bench(fieldgate::lab::parse(argc, argv),
                                gateway ? gateway : FIELDGATE_BINARY);
    return bench.run();
}
