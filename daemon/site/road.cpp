#include "daemon/site/road.h"

#include <utility>

namespace fieldgate {
namespace {

const char* const changed = "platform: has been changed";

// The settings of a road live as long as it.
struct Built {
    Built(const asio::any_io_executor& loop, const Road::Shared& shared, SitePtr its_site)
        : site(std::move(its_site)),
          mqtt(loop, site->config.platform, shared.pacer, shared.sizes, shared.goodput,
               shared.time) {}
    SitePtr site;
    Road::Mqtt mqtt;
};

}  // namespace

Road::Road(const asio::any_io_executor& loop, Shared shared, const SitePtr& site)
    : loop_(loop), shared_(std::move(shared)), mqtt_(make(site)), replaced_(loop) {}

std::shared_ptr<Road::Mqtt> Road::make(const SitePtr& site) const {
    const auto built = std::make_shared<Built>(loop_, shared_, site);
    return {built, &built->mqtt};
}

std::shared_ptr<Road::Mqtt> Road::replace(const SitePtr& site) {
    std::shared_ptr<Mqtt> old = std::exchange(mqtt_, make(site));
    old->close(changed);
    old_ = old;
    ++number_;
    replaced_.notify();
    return old;
}

asio::awaitable<void> Road::replaced(Instant until) {
    const std::uint64_t before = number_;
    while (number_ == before && Event::Clock::now() < until)
        (void)co_await replaced_.wait_until(until);
}

asio::awaitable<Result<void>> Road::connect(std::function<void()> alive) {
    const std::shared_ptr<Mqtt> mqtt = mqtt_;
    Result<void> connected = co_await mqtt->connect(std::move(alive));
    if (connected && mqtt != mqtt_) connected = Error(Errc::closed, changed);
    co_return connected;
}

asio::awaitable<Result<northbound::Downlink>> Road::next(std::chrono::milliseconds patience) {
    while (const std::shared_ptr<Mqtt> old = old_) {
        Result<northbound::Downlink> came = co_await old->next(std::chrono::milliseconds(0));
        if (came) co_return came;
        if (old == old_) old_.reset();
    }
    const std::shared_ptr<Mqtt> mqtt = mqtt_;
    Result<northbound::Downlink> came = co_await mqtt->next(patience);
    co_return came;
}

asio::awaitable<Result<void>> Road::answer(std::string request_id, northbound::Answer answer,
                                           northbound::Rank rank) {
    const std::shared_ptr<Mqtt> mqtt = mqtt_;
    const Result<void> sent = co_await mqtt->answer(std::move(request_id), std::move(answer), rank);
    co_return sent;
}

asio::awaitable<Result<void>> Road::publish(const northbound::Parcel& parcel) {
    const std::shared_ptr<Mqtt> mqtt = mqtt_;
    const Result<void> sent = co_await mqtt->publish(parcel);
    co_return sent;
}

asio::awaitable<Result<void>> Road::tell(const northbound::Announcement& announcement) {
    const std::shared_ptr<Mqtt> mqtt = mqtt_;
    const Result<void> told = co_await mqtt->tell(announcement);
    co_return told;
}

asio::awaitable<void> Road::disconnect() {
    const std::shared_ptr<Mqtt> mqtt = mqtt_;
    co_await mqtt->disconnect();
}

}  // namespace fieldgate
