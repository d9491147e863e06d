#include "tests/bench/rig.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "base/json.h"

namespace fieldgate::bench {
namespace {

using namespace std::chrono_literals;

std::string gateway_binary() {
    const char* const other = std::getenv("FIELDGATE");
    return other ? other : FIELDGATE_BINARY;
}

std::int64_t integer(const json::Value& in, std::string_view object, std::string_view key) {
    return *in.get(object)->get(key)->integer();
}

double rss_mb(pid_t process) {
    std::istringstream statm(lab::read_file("/proc/" + std::to_string(process) + "/statm"));
    double size = 0;
    double resident = 0;
    statm >> size >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

}  // namespace

// In nanoseconds, where /proc/PID/stat counts in hundredths of a second.
double cpu_seconds(pid_t process) {
    double sum = 0;
    std::error_code failure;
    const std::filesystem::path tasks = "/proc/" + std::to_string(process) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks, failure)) {
        std::istringstream schedstat(lab::read_file(task.path() / "schedstat"));
        double nanoseconds = 0;
        schedstat >> nanoseconds;
        sum += nanoseconds * 1e-9;
    }
    return sum;
}

double seconds_between(const Figures& from, const Figures& to) {
    return std::chrono::duration<double>(to.at - from.at).count();
}

void Rig::write_site(const std::string& buses, int registers, const std::string& period,
                     const std::string& change) const {
    lab::write_file(
        dir_ / "fieldgate.yaml",
        "schema: 1\nplatform:\n  endpoint: mqtt://127.0.0.1:" + std::to_string(broker_port_) +
            "\n  device_id: bench_GW\n  auth: { secret: cred:gateway }\n"
            "  limits: { messages: unlimited, bandwidth: unlimited }\n"
            "  reconnect: { from: 1s, to: 1s }\n"
            "store: { path: store, keep_free: 1MiB, max_size: 1GiB }\n"
            "local: { control: control.sock }\ntemplates: [points.yaml]\n" +
            buses);
    std::string text =
        "template: points\nproduct_id: bench\nprotocol: modbus\ndefaults: { every: " + period +
        ", report: { change: " + change + " } }\nservices:\n  Registers:\n";
    for (int i = 0; i < registers; ++i)
        text += "    value" + std::to_string(i) + ": { at: \"holding:" + std::to_string(i) +
                "\", type: u16, scale: 0.1 }\n";
    lab::write_file(dir_ / "points.yaml", text);
    const std::filesystem::path secret = dir_ / "credentials/gateway";
    if (std::filesystem::exists(secret)) return;
    std::filesystem::create_directory(secret.parent_path());
    lab::write_file(secret, "secret");
    std::filesystem::permissions(secret, std::filesystem::perms::owner_read);
}

void Rig::start_mosquitto() {
    lab::write_file(dir_ / "mosquitto.conf",
                    "listener " + std::to_string(broker_port_) +
                        " 127.0.0.1\nallow_anonymous true\nuser root\nlog_type none\n"
                        "max_inflight_messages 0\n");
    lab::Child::Options output;
    output.output = dir_ / "mosquitto.log";
    broker_.emplace(std::vector<std::string>{"mosquitto", "-c", (dir_ / "mosquitto.conf").string()},
                    output);
}

void Rig::start_gateway() {
    std::filesystem::remove(dir_ / "control.sock");  // of an earlier one
    lab::Child::Options output;
    output.output = dir_ / "gateway.log";
    gateway_.emplace(std::vector<std::string>{gateway_binary(), "run", "--config",
                                              (dir_ / "fieldgate.yaml").string()},
                     output);
    if (lab::wait_until([&] { return std::filesystem::exists(dir_ / "control.sock"); }, 10s))
        return;
    std::fputs(lab::read_file(dir_ / "gateway.log").c_str(), stderr);
    std::exit(1);
}

bool Rig::stop_gateway() { return gateway_->stop() == 0; }

Figures Rig::figures() const {
    const lab::Finished status = lab::run(
        {gateway_binary(), "status", "--json", "--control", (dir_ / "control.sock").string()});
    Figures figures;
    figures.at = std::chrono::steady_clock::now();
    figures.cpu_s = cpu_seconds(gateway_->pid());
    figures.rss_mb = rss_mb(gateway_->pid());
    json::Limits wide;
    wide.bytes = status.output.size();
    const Result<json::Value> parsed = json::parse(status.output, wide);
    if (!parsed) {
        std::fprintf(stderr, "no status: %s\n%s\n", status.output.c_str(),
                     lab::read_file(dir_ / "gateway.log").c_str());
        std::exit(1);
    }
    figures.connected = *(*parsed).get("link")->get("up")->boolean();
    figures.points = integer(*parsed, "readings", "read");
    figures.accepted = integer(*parsed, "books", "accepted");
    figures.acknowledged = integer(*parsed, "books", "acknowledged");
    figures.pending = integer(*parsed, "books", "pending");
    figures.evicted = integer(*parsed, "books", "evicted");
    for (const json::Value& bus : *(*parsed).get("buses")->array()) {
        figures.requests += *bus.get("requests")->integer();
        figures.overruns += *bus.get("overruns")->integer();
        for (const auto& [kind, count] : *bus.get("errors")->object())
            figures.wire_errors += *count.integer();
    }
    return figures;
}

Part::Part(const std::vector<std::string>& command)
    : process_(command, [] {
          lab::Child::Options options;
          options.lines = true;
          return options;
      }()) {
    const std::optional<std::string> line = process_.read_line(5s);
    if (!line) {
        std::fprintf(stderr, "%s does not start\n", command.front().c_str());
        std::exit(1);
    }
    first_line_ = *line;
}

std::string Part::report() {
    process_.signal(SIGUSR1);
    return process_.read_line(5s).value_or("null");
}

double Part::cpu_s() const { return cpu_seconds(process_.pid()); }

TcpField::TcpField(int connections)
    : process_({FIELDGATE_BENCH_TCP_FIELD, std::to_string(connections)}) {
    std::istringstream first(process_.first_line());
    for (std::string port; first >> port;) ports_.push_back(port);
}

std::string TcpField::site() const {
    std::string text = "buses:\n";
    for (std::size_t i = 0; i < ports_.size(); ++i)
        text += "  plc" + std::to_string(i) +
                ": { protocol: modbus-tcp, tcp: \"127.0.0.1:" + ports_[i] + "\" }\n";
    text += "devices:\n";
    for (std::size_t i = 0; i < ports_.size(); ++i) {
        const std::string bus = std::to_string(i);
        text += "  - { name: \"plc" + bus + "-{unit}\", unit: 1.." + std::to_string(units) +
                ", template: points, bus: plc" + bus + ", node_id: \"P" + bus + "-{unit}\" }\n";
    }
    return text;
}

}  // namespace fieldgate::bench
