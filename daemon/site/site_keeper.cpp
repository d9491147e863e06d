#include "daemon/site/site_keeper.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/json_writer.h"
#include "base/log.h"

namespace fieldgate {
namespace {

std::string from_root(std::string file) {
    std::error_code unknown;
    const std::filesystem::path whole = std::filesystem::absolute(file, unknown);
    return unknown ? file : whole.string();
}

}  // namespace

// One change at a time, in the order of asking; leaves the queue however its owner ends.
class SiteKeeper::Turn {
public:
    explicit Turn(SiteKeeper& keeper) : keeper_(keeper), wake_(keeper.loop_) {
        keeper_.waiting_.push_back(&wake_);
    }
    ~Turn() {
        const auto place = std::find(keeper_.waiting_.begin(), keeper_.waiting_.end(), &wake_);
        keeper_.waiting_.erase(place);
        if (!keeper_.waiting_.empty()) keeper_.waiting_.front()->notify();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    asio::awaitable<void> come() {
        while (keeper_.waiting_.front() != &wake_) co_await wake_.wait();
    }

private:
    SiteKeeper& keeper_;
    Event wake_;
};

SiteKeeper::SiteKeeper(const asio::any_io_executor& loop, std::string main_file,
                       DeviceTable& devices, SitePtr first, Apply apply)
    : loop_(loop),
      main_file_(from_root(std::move(main_file))),
      devices_(devices),
      last_good_(state_folder(first->config.store.path)),
      first_(first),
      now_(std::move(first)),
      apply_(std::move(apply)) {}

asio::awaitable<SiteKeeper::Report> SiteKeeper::reload() {
    Turn turn(*this);
    co_await turn.come();
    LoadedConfig loaded = co_await worker_.run([this] { return load_config(main_file_); });
    Report report = co_await propose(std::move(loaded));
    co_return report;
}

asio::awaitable<SiteKeeper::Report> SiteKeeper::propose(LoadedConfig loaded) {
    Report report;
    report.exit = exit_of(loaded);
    report.revision = now_->revision;
    report.main_file = main_file_;
    report.problems = std::move(loaded.problems);
    if (!loaded.config) co_return report;
    if (!has_a_road(loaded.config->platform)) {
        report.exit = Exit::configuration;
        report.failures.emplace_back(no_road);
        co_return report;
    }
    const Result<SitePtr> next = make_site(std::move(*loaded.config), devices_, now_.get());
    if (!next) {
        report.exit = Exit::configuration;
        report.failures.push_back(next.error().what);
        co_return report;
    }
    const SitePtr& site = *next;
    SiteChange change = compare(*now_, *site);
    change.needs_restart = restarts_owed(first_->config, site->config);
    report.changes = describe(change, *site);
    report.remarks = remarks(site->config);
    report.failures = co_await apply_(site, change);
    now_ = site;
    report.revision = site->revision;
    if (!report.failures.empty() || !change.needs_restart.empty())
        report.exit = Exit::failed;
    else
        co_await keep(report);
    co_return report;
}

asio::awaitable<void> SiteKeeper::keep() {
    Report nobody_asked;
    co_await keep(nobody_asked);
}

asio::awaitable<void> SiteKeeper::keep(Report& report) {
    const SitePtr site = now_;
    const Result<void> kept =
        co_await worker_.run([&] { return last_good_.keep(main_file_, *site->config.files); });
    if (kept) co_return;
    log::warning("not kept as the last good configuration", {{"why", kept.error().what}});
    report.remarks.push_back("not kept as the last good configuration: " + kept.error().what);
}

std::string report_json(const SiteKeeper::Report& report) {
    std::string problems;
    for (const Problem& problem : report.problems) problems += describe(problem) + '\n';
    std::string text;
    json::Writer out(text);
    out.open_object().member("exit", static_cast<int>(report.exit));
    out.member("revision", report.revision).member("main_file", report.main_file);
    out.member("problems", problems);
    const auto list = [&](const char* key, const std::vector<std::string>& lines) {
        out.key(key).open_array();
        for (const std::string& line : lines) out.value(line);
        out.close_array();
    };
    list("changes", report.changes);
    list("failures", report.failures);
    list("remarks", report.remarks);
    out.close_object();
    return text;
}

}  // namespace fieldgate
