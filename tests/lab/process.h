#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

/// What the lab needs of the machine: processes, ports, folders, patience.
namespace fieldgate::lab {

using std::chrono::milliseconds;

/// A program that we started. It dies with us, even if we are killed (PR_SET_PDEATHSIG, which goes
/// by the thread: start it from one that lives as long as it shall). A program that cannot be
/// executed exits 127. It leads a process group of its own, so that Ctrl-C at a terminal reaches us
/// alone. One owner; not for several threads.
class Child {
public:
    struct Options {
        std::filesystem::path output;          ///< stdout and stderr are appended here...
        bool lines = false;                    ///< ...or stdout is a pipe for read_line().
        std::vector<std::string> environment;  ///< "NAME=value", added to ours.
    };

    /// `arguments[0]` is the program, looked up in PATH.
    Child(const std::vector<std::string>& arguments, const Options& options);
    explicit Child(const std::vector<std::string>& arguments) : Child(arguments, Options()) {}
    ~Child() { kill(); }
    Child(Child&& other) noexcept;
    Child& operator=(Child&& other) noexcept;
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    pid_t pid() const { return pid_; }
    bool running() { return !wait(milliseconds(0)).has_value(); }
    void signal(int number) const;
    /// kill -9 for the group, and waits for the end.
    void kill();
    /// SIGTERM; nullopt if it had to be killed after `patience`.
    std::optional<int> stop(milliseconds patience = std::chrono::seconds(10));
    /// The exit code (128 + signal for a killed one); nullopt if it still runs after `patience`.
    std::optional<int> wait(milliseconds patience);
    /// The next line of stdout without its end; nullopt at its end, or if there is none in time.
    std::optional<std::string> read_line(milliseconds patience);

private:
    pid_t pid_ = -1;
    int stdout_ = -1;
    std::string buffer_;
    std::optional<int> code_;
};

struct Finished {
    int code;            ///< -1: killed, because it took longer than `patience`.
    std::string output;  ///< stdout and stderr.
};
/// Runs a program to its end.
Finished run(const std::vector<std::string>& arguments,
             milliseconds patience = std::chrono::seconds(30));

/// A folder that goes with its owner.
class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

/// A TCP port of 127.0.0.1 that nobody had a moment ago; for programs that cannot take port 0.
std::uint16_t free_port();

/// True as soon as `predicate` is; false if it is not within `patience`.
bool wait_until(const std::function<bool()>& predicate,
                milliseconds patience = std::chrono::seconds(10));

std::string read_file(const std::filesystem::path& file);
void write_file(const std::filesystem::path& file, const std::string& text);

}  // namespace fieldgate::lab
