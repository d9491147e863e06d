#include "tests/e2e/asker.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>

namespace fieldgate::e2e {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto pause = 20ms;
constexpr auto patience = 5s;
constexpr Asker::Milliseconds never{1e9};

}  // namespace

Asker::Asker(std::filesystem::path socket, pid_t gateway)
    : socket_(std::move(socket)), gateway_(gateway), thread_([this] { ask_on(); }) {}

Asker::~Asker() { stop(); }

void Asker::stop() {
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
}

void Asker::ask_on() {
    while (!stopped_ && !std::filesystem::exists(socket_)) std::this_thread::sleep_for(pause);
    Milliseconds before = used();
    while (!stopped_) {
        const auto began = Clock::now();
        const bool answered = ask();
        waits_.emplace_back(answered ? Milliseconds(Clock::now() - began) : never);
        const Milliseconds now = used();
        turn_max_ = std::max(turn_max_, now - before);
        before = now;
        std::this_thread::sleep_for(pause);
    }
}

// One question, to the end of its answer.
bool Asker::ask() const {
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{std::chrono::seconds(patience).count(), 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_.string().copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    constexpr std::string_view question = "status\n";
    const void* where = &address;
    bool answered =
        ::connect(descriptor, static_cast<const sockaddr*>(where), sizeof address) == 0 &&
        ::send(descriptor, question.data(), question.size(), MSG_NOSIGNAL) > 0;
    std::array<char, 65536> chunk{};
    std::size_t bytes = 0;
    while (answered) {
        const ssize_t got = ::recv(descriptor, chunk.data(), chunk.size(), 0);
        answered = got >= 0;
        if (got <= 0) break;
        bytes += static_cast<std::size_t>(got);
    }
    ::close(descriptor);
    return answered && bytes > 0;
}

// Of the first thread, which is the loop's (schedstat: its first number is nanoseconds).
Asker::Milliseconds Asker::used() const {
    const std::string pid = std::to_string(gateway_);
    std::ifstream file("/proc/" + pid + "/task/" + pid + "/schedstat");
    double nanoseconds = 0;
    file >> nanoseconds;
    return Milliseconds(nanoseconds / 1e6);
}

double Asker::share_within(Milliseconds limit) const {
    if (waits_.empty()) return 0;
    const auto in_time =
        std::count_if(waits_.begin(), waits_.end(), [&](Milliseconds w) { return w <= limit; });
    return 100.0 * static_cast<double>(in_time) / static_cast<double>(waits_.size());
}

Asker::Milliseconds Asker::longest() const {
    return waits_.empty() ? never : *std::max_element(waits_.begin(), waits_.end());
}

}  // namespace fieldgate::e2e
