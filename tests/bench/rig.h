#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/lab/process.h"

/// What the benchmarks share. Field, broker and gateway are processes of their own on this machine;
/// only the gateway's CPU counts.
namespace fieldgate::bench {

/// What the command line asks for.
struct Options {
    enum class Run : std::uint8_t { tcp, rtu, replay } run = Run::tcp;
    std::chrono::seconds window{20};  ///< How long it is measured.
    int connections = 10;             ///< TCP and replay.
    bool flat_out = false;            ///< TCP: every 1 ms, which no bus can meet.
    std::chrono::seconds outage{0};   ///< TCP: the broker goes away for so long.
    int baud = 9600;                  ///< RTU, and what follows.
    int lines = 16;
    int registers = 100;
    std::chrono::microseconds latency{0};  ///< Of the device.
    int million_points = 10;               ///< Replay: the size of the backlog.
};

int run_tcp(const Options& options);
int run_rtu(const Options& options);
int run_replay(const Options& options);

/// What a process and its `fieldgate status` say at one moment.
struct Figures {
    std::chrono::steady_clock::time_point at;
    double cpu_s = 0;
    double rss_mb = 0;
    bool connected = false;
    std::int64_t points = 0;  ///< Read.
    std::int64_t requests = 0;
    std::int64_t wire_errors = 0;
    std::int64_t overruns = 0;
    std::int64_t accepted = 0;
    std::int64_t acknowledged = 0;
    std::int64_t pending = 0;
    std::int64_t evicted = 0;
};

/// A program of the bench: prints a line when it is ready, and on SIGUSR1 a JSON line about what
/// has happened since the last.
class Part {
public:
    explicit Part(const std::vector<std::string>& command);
    const std::string& first_line() const { return first_line_; }
    std::string report();
    double cpu_s() const;

private:
    lab::Child process_;
    std::string first_line_;
};

/// User and system time of all threads of a process; 0 if it is not there.
double cpu_seconds(pid_t process);
double seconds_between(const Figures& from, const Figures& to);

/// A gateway, its site and its broker in a folder that goes with it.
class Rig {
public:
    /// `buses`: the text of `buses:` and `devices:`; their template is `points`, one property for
    /// each of `registers` holding registers, every `period`, reported when it changes by `change`.
    void write_site(const std::string& buses, int registers, const std::string& period,
                    const std::string& change = "any") const;
    std::uint16_t broker_port() const { return broker_port_; }
    void start_mosquitto();
    void stop_broker() { broker_.reset(); }
    /// Returns when it answers; ends the program with its log if it does not.
    void start_gateway();
    bool stop_gateway();
    pid_t gateway() const { return gateway_->pid(); }
    Figures figures() const;
    std::filesystem::path file(const std::string& name) const { return dir_ / name; }

private:
    lab::TempDir dir_;
    std::uint16_t broker_port_ = lab::free_port();
    std::optional<lab::Child> broker_;
    std::optional<lab::Child> gateway_;
};

/// Modbus TCP slaves, ten units behind each connection.
class TcpField {
public:
    static constexpr int units = 10;
    explicit TcpField(int connections);
    /// `buses` and `devices` for Rig::write_site().
    std::string site() const;
    /// A JSON object on the intervals between requests since the last call.
    std::string intervals() { return process_.report(); }

private:
    Part process_;
    std::vector<std::string> ports_;
};

}  // namespace fieldgate::bench
