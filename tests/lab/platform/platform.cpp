#include "tests/lab/platform/platform.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "base/log.h"
#include "tests/lab/platform/answers.h"

namespace fieldgate::lab {
namespace {

// Wakes when a file was written to.
class Watch {
public:
    explicit Watch(const std::filesystem::path& file)
        : descriptor_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
        inotify_add_watch(descriptor_, file.c_str(), IN_MODIFY);
    }
    ~Watch() { close(descriptor_); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    void wait(milliseconds longest) const {
        pollfd ready{descriptor_, POLLIN, 0};
        poll(&ready, 1, static_cast<int>(longest.count()));
        std::array<char, 4096> events{};
        while (read(descriptor_, events.data(), events.size()) > 0) {
        }
    }

private:
    int descriptor_;
};

template <class T>
std::vector<T> tail(const std::deque<T>& all, std::size_t from) {
    if (from >= all.size()) return {};
    return {all.begin() + static_cast<std::ptrdiff_t>(from), all.end()};
}

std::int64_t now_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<milliseconds>(now).count();
}

}  // namespace

Platform::Platform(Settings settings)
    : settings_(std::move(settings)), clock_off_(settings_.clock_off), judge_(settings_.rules) {
    if (settings_.folder.empty()) settings_.folder = own_folder_.emplace().path();
    Broker::Settings broker;
    broker.port = settings_.port;
    broker.folder = settings_.folder;
    broker.devices = settings_.devices;
    broker_ = std::make_unique<Broker>(std::move(broker));
    thread_ = std::jthread([this](const std::stop_token& stop) { follow(stop); });
}

Platform::~Platform() {
    thread_.request_stop();
    thread_.join();
}

std::string Platform::endpoint() const {
    return "mqtts://localhost:" + std::to_string(broker_->port());
}

std::string Platform::certificate_endpoint() const {
    return "mqtts://localhost:" + std::to_string(broker_->certificate_port());
}

Result<void> Platform::send(const std::string& device, const std::string& suffix,
                            const std::string& payload) {
    return broker_->publish("$oc/devices/" + device + "/sys/" + suffix, payload);
}

void Platform::follow(const std::stop_token& stop) {
    JournalReader journal(broker_->journal());
    const Watch watch(broker_->journal());
    while (!stop.stop_requested()) {
        while (const std::optional<Entry> entry = journal.next()) {
            {
                const std::lock_guard lock(mutex_);
                judge_.hear(*entry);
                heard_bytes_ = journal.position();
            }
            if (settings_.answers) answer(*entry);
        }
        watch.wait(milliseconds(100));
    }
}

void Platform::answer(const Entry& entry) {
    Entry heard = entry;
    const std::int64_t off = clock_off_.load().count();
    heard.at += off;
    const std::int64_t now = now_ms() + off;
    for (const Downlink& downlink : answers_to(heard, settings_.rules.sub_devices, now)) {
        const Result<void> sent = broker_->publish(downlink.topic, downlink.payload);
        // A broker that was just stopped takes no answers; the gateway must live with that.
        if (!sent) log::notice("answer not sent", {{"why", sent.error().what}});
    }
}

bool Platform::catch_up() const {
    std::error_code none_yet;
    const std::uintmax_t written = std::filesystem::file_size(broker_->journal(), none_yet);
    return wait_until([this, written] {
        const std::lock_guard lock(mutex_);
        return heard_bytes_ >= written;
    });
}

std::vector<Record> Platform::records(std::size_t from) const {
    const std::lock_guard lock(mutex_);
    return tail(judge_.records(), from);
}

std::vector<Record> Platform::records_of(const std::string& device,
                                         const std::string& service) const {
    const std::lock_guard lock(mutex_);
    std::vector<Record> found;
    for (const Record& record : judge_.records())
        if (record.device == device && record.service == service) found.push_back(record);
    return found;
}

std::vector<Status> Platform::statuses(std::size_t from) const {
    const std::lock_guard lock(mutex_);
    return tail(judge_.statuses(), from);
}

std::vector<Violation> Platform::violations(std::size_t from) const {
    const std::lock_guard lock(mutex_);
    return tail(judge_.violations(), from);
}

std::vector<Message> Platform::messages(std::size_t from) const {
    const std::lock_guard lock(mutex_);
    return tail(judge_.messages(), from);
}

Counts Platform::counts() const {
    const std::lock_guard lock(mutex_);
    return judge_.counts();
}

std::string Platform::status(const std::string& device) const {
    const std::lock_guard lock(mutex_);
    return judge_.status(device);
}

std::optional<std::pair<std::string, std::int64_t>> Platform::last(
    const std::string& device, const std::string& service, const std::string& property) const {
    const std::lock_guard lock(mutex_);
    return judge_.last(device, service, property);
}

}  // namespace fieldgate::lab
