#include "tests/lab/process.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "base/expect.h"

namespace fieldgate::lab {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> list;
    for (std::string& text : texts) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
}

std::vector<std::string> environment_with(const std::vector<std::string>& more) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) all.emplace_back(*entry);
    // getenv() takes the first of a name, so ours go in front.
    all.insert(all.begin(), more.begin(), more.end());
    return all;
}

// Between fork and exec: only what is async-signal-safe.
[[noreturn]] void become(char* const* arguments, char* const* environment, int out, int err,
                         pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    setpgid(0, 0);
    if (out >= 0) dup2(out, STDOUT_FILENO);
    if (err >= 0) dup2(err, STDERR_FILENO);
    // Sockets of libraries are not O_CLOEXEC (Asio's, libmodbus's): one that the test closes while
    // a child still holds it would stay open, and its peer would never hear of it.
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, nullptr);
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    sigaction(SIGPIPE, &usual, nullptr);
    execvpe(arguments[0], arguments, environment);
    _exit(127);
}

int exit_code(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

milliseconds left(Clock::time_point deadline) {
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(deadline - Clock::now()));
}

}  // namespace

Child::Child(const std::vector<std::string>& arguments, const Options& options) {
    expect(!arguments.empty(), "a program to start");
    std::vector<std::string> argument_texts = arguments;
    std::vector<std::string> environment_texts = environment_with(options.environment);
    const std::vector<char*> argv = pointers(argument_texts);
    const std::vector<char*> envp = pointers(environment_texts);
    int ends[2] = {-1, -1};
    int err = -1;
    if (options.lines) {
        expect(pipe2(ends, O_CLOEXEC) == 0, "a pipe");
    } else if (!options.output.empty()) {
        ends[1] = open(options.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        expect(ends[1] >= 0, "a file for the output");
        err = ends[1];
    }
    const pid_t parent = getpid();
    pid_ = fork();
    expect(pid_ >= 0, "a process");
    if (pid_ == 0) become(argv.data(), envp.data(), ends[1], err, parent);
    if (ends[1] >= 0) close(ends[1]);
    stdout_ = ends[0];
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      stdout_(std::exchange(other.stdout_, -1)),
      buffer_(std::move(other.buffer_)),
      code_(other.code_) {}

Child& Child::operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(stdout_, other.stdout_);
    std::swap(buffer_, other.buffer_);
    std::swap(code_, other.code_);
    return *this;
}

void Child::signal(int number) const {
    // A reaped pid may belong to somebody else by now.
    if (pid_ > 0 && !code_) ::kill(pid_, number);
}

void Child::kill() {
    if (pid_ > 0 && !code_) {
        ::kill(-pid_, SIGKILL);
        ::kill(pid_, SIGKILL);  // it may not have made its group yet
        int status = 0;
        while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        code_ = exit_code(status);
    }
    if (stdout_ >= 0) close(std::exchange(stdout_, -1));
}

std::optional<int> Child::stop(milliseconds patience) {
    signal(SIGTERM);
    const std::optional<int> code = wait(patience);
    if (!code) kill();
    return code;
}

std::optional<int> Child::wait(milliseconds patience) {
    wait_until(
        [this] {
            if (code_ || pid_ <= 0) return true;
            int status = 0;
            if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
            code_ = exit_code(status);
            return true;
        },
        patience);
    return code_;
}

std::optional<std::string> Child::read_line(milliseconds patience) {
    const Clock::time_point deadline = Clock::now() + patience;
    while (stdout_ >= 0) {
        const std::size_t end = buffer_.find('\n');
        if (end != std::string::npos) {
            std::string line = buffer_.substr(0, end);
            buffer_.erase(0, end + 1);
            return line;
        }
        pollfd ready{stdout_, POLLIN, 0};
        if (poll(&ready, 1, static_cast<int>(left(deadline).count())) <= 0) return std::nullopt;
        char bytes[4096];
        const ssize_t count = read(stdout_, bytes, sizeof bytes);
        if (count <= 0) return std::nullopt;
        buffer_.append(bytes, static_cast<std::size_t>(count));
    }
    return std::nullopt;
}

Finished run(const std::vector<std::string>& arguments, milliseconds patience) {
    const TempDir folder;
    Child::Options options;
    options.output = folder / "output";
    Child child(arguments, options);
    const std::optional<int> code = child.wait(patience);
    child.kill();
    return {code.value_or(-1), read_file(options.output)};
}

TempDir::TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "fieldgate-XXXXXX").string();
    expect(mkdtemp(name.data()) != nullptr, "a temporary folder");
    path_ = name;
}

TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::uint16_t free_port() {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    expect(bind(descriptor, generic, size) == 0, "a free port");
    expect(getsockname(descriptor, generic, &size) == 0, "the port's number");
    close(descriptor);
    return ntohs(address.sin_port);
}

bool wait_until(const std::function<bool()>& predicate, milliseconds patience) {
    const Clock::time_point deadline = Clock::now() + patience;
    while (!predicate()) {
        if (Clock::now() >= deadline) return false;
        std::this_thread::sleep_for(std::min(milliseconds(5), left(deadline)));
    }
    return true;
}

std::string read_file(const std::filesystem::path& file) {
    const std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void write_file(const std::filesystem::path& file, const std::string& text) {
    std::ofstream out(file, std::ios::binary);
    out << text;
    out.close();
    expect(out.good(), "a file to be written");
}

}  // namespace fieldgate::lab
