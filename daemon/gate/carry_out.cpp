#include "daemon/gate/carry_out.h"

#include "base/log.h"
#include "daemon/gate/operate.h"
#include "daemon/gate/property_answer.h"

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;
using southbound::Written;

// Of what went well; how it ended is told in any case.
constexpr std::size_t told_bytes = 4UL * 1024;

int code_of(Written::Outcome outcome) {
    switch (outcome) {
        case Written::Outcome::written:
            return codes::success;
        case Written::Outcome::refused:
            return codes::device_refused;
        case Written::Outcome::mismatch:
            return codes::mismatch;
        case Written::Outcome::unknown:
            return codes::unknown;
    }
    return codes::unknown;
}

// No write has left.
int code_of(Errc code) {
    const bool value = code == Errc::out_of_range || code == Errc::bad_data;
    return value ? codes::bad_value : codes::not_reached;
}

std::string text_of(const Result<Written>& written) {
    if (!written) return "not written: " + written.error().what;
    switch (written->outcome) {
        case Written::Outcome::written:
            return "written";
        case Written::Outcome::refused:
            return "refused: " + written->what;
        case Written::Outcome::mismatch:
            return "written, but " + written->what;
        case Written::Outcome::unknown:
            return "unknown whether written, not repeated: " + written->what;
    }
    return "unknown";
}

// What the point is afterwards is told, whatever its report rule says; the reading may come before
// the write returns.
asio::awaitable<Result<Written>> write_point(Parts& parts, southbound::Bus& bus, const Order& order,
                                             const Order::Write& write) {
    const DeviceRef device = order.ref();
    const bool insists = order.origin == Order::Origin::cloud_loss;
    const southbound::Bus::WriteHow how(order.not_after, insists);
    parts.mapping.refresh(device, write.point);
    Result<Written> written = co_await bus.write(device, write.point, write.value, how);
    parts.mapping.refresh(device, write.point);
    co_return written;
}

asio::awaitable<void> settle_unknown(Parts& parts, Order order) {
    Outcome outcome =
        outcome_of(order, codes::unknown, "unknown how it ended: its bus was taken away meanwhile");
    co_await parts.requests.settle(order, std::move(outcome));
}

// An order that is cut off by a change of the site, or by a stop, has its outcome, too.
class Begun {
public:
    Begun(Parts& parts, const Order& order) : parts_(parts), order_(order) {}
    ~Begun() {
        if (open_) parts_.deliveries.spawn("settle", settle_unknown(parts_, order_));
    }
    Begun(const Begun&) = delete;
    Begun& operator=(const Begun&) = delete;
    void end() { open_ = false; }

private:
    Parts& parts_;
    const Order& order_;
    bool open_ = true;
};

// Who is cancelled with it leaves it owed.
class SafeWrite {
public:
    SafeWrite(SafeWrites& writes, const Order& order, const southbound::Bus& bus)
        : writes_(writes), order_(order), bus_(bus) {}
    ~SafeWrite() {
        if (open_) settle(false);
    }
    SafeWrite(const SafeWrite&) = delete;
    SafeWrite& operator=(const SafeWrite&) = delete;

    /// False: it is as it was.
    bool settle(bool sent) {
        open_ = false;
        return writes_.settled(order_, sent, bus_.suspended());
    }

private:
    SafeWrites& writes_;
    const Order& order_;
    const southbound::Bus& bus_;
    bool open_ = true;
};

}  // namespace

asio::awaitable<Outcome> write_order(Parts& parts, southbound::Bus& bus, const Order& order) {
    const std::vector<Point>& points = *order.device_template().points;
    int code = codes::success;
    std::string text;
    for (const Order::Write& write : order.writes) {
        const Result<Written> written = co_await write_point(parts, bus, order, write);
        const bool first = &write == &order.writes.front();
        const bool late = !written && Event::Clock::now() >= order.not_after;
        if (first && late) co_return outcome_not_begun(order);
        code = written ? code_of(written->outcome) : code_of(written.error().code);
        const bool last = code != codes::success || &write == &order.writes.back();
        if (last || text.size() < told_bytes) {
            if (!text.empty()) text += "; ";
            text += points[write.point].property + ": " + text_of(written);
        } else if (!text.ends_with("...")) {
            text += "; ...";
        }
        if (code != codes::success) break;
    }
    Outcome outcome = outcome_of(order, code, std::move(text));
    co_return outcome;
}

bool is_in_time(const Order& order) { return Event::Clock::now() < order.begin_before; }

asio::awaitable<void> carry_out(Parts& parts, southbound::Bus* bus, const Order& order) {
    Outcome outcome = outcome_not_begun(order);
    const bool wanted = is_in_time(order) && parts.requests.begin(order);
    Begun begun(parts, order);
    if (wanted && order.own) outcome = co_await operate(parts, order);
    if (wanted && !order.own) outcome = co_await write_order(parts, *bus, order);
    begun.end();
    co_await parts.requests.settle(order, std::move(outcome));
}

asio::awaitable<void> carry_out_apart(Parts& parts, Order order) {
    co_await carry_out(parts, nullptr, order);
}

asio::awaitable<void> write_safe(Parts& parts, southbound::Bus& bus, const Order& order) {
    SafeWrite promise(parts.safe_writes, order, bus);
    const Result<Written> written = co_await write_point(parts, bus, order, order.writes.front());
    const bool news = promise.settle(written.has_value());
    if (!news) co_return;  // told once, and tried on in silence
    const std::string result = text_of(written);
    log::warning(
        "written because the cloud is away",
        {{"device", order.asked.target}, {"what", order.asked.detail}, {"result", result}});
    storage::AuditEntry entry = order.asked;
    entry.result = result;
    parts.requests.audit(std::move(entry));
}

asio::awaitable<void> give_back(Parts& parts, Order order, const char* why) {
    if (order.origin == Order::Origin::cloud_loss) {
        parts.safe_writes.not_taken(order);
    } else if (order.own || order.acts()) {
        Outcome outcome = outcome_of(order, codes::busy, why);
        co_await parts.requests.settle(order, std::move(outcome));
    } else {
        parts.requests.settle(order, northbound::GetAnswer());
    }
}

asio::awaitable<northbound::GetAnswer> read_order(Parts& parts, southbound::Bus& bus,
                                                  const Order& order) {
    const DeviceConfig& device = *order.site->directory.config_of(order.device);
    const Template& tmpl = order.device_template();
    const Instant now = Event::Clock::now();
    std::vector<PointIndex> fresh;
    std::vector<PointIndex> stale;
    for (const PointIndex point : order.points) {
        const std::optional<Latest::Entry> entry = parts.latest.get(order.ref(), point);
        const bool is_fresh = entry && now - entry->at <= period(tmpl, device, point);
        (is_fresh ? fresh : stale).push_back(point);
    }
    if (!stale.empty()) {
        const Result<Readings> read = co_await bus.read(order.ref(), stale);
        if (read) {
            parts.latest.set(*read);
            for (const Reading& reading : read->values) fresh.push_back(reading.point);
        }
    }
    co_return property_answer(*tmpl.points, order.ref(), fresh, parts.latest, parts.clock);
}

}  // namespace fieldgate
