#include "daemon/notices.h"

#include <algorithm>

#include "base/log.h"

namespace fieldgate {
namespace {

constexpr std::size_t failures_logged_max = 5;

struct Take {
    Parts& parts;

    void operator()(const northbound::TimeAnswer& answer) const {
        const Instant now = Event::Clock::now();
        const std::optional<Utc> utc = parts.time_sync.hear(answer, now);
        if (utc && parts.cloud.believes(*utc) && parts.clock.prove(now, *utc)) {
            log::notice("the platform has told the time");
            parts.outbox.restamp(parts.clock.offset());
            parts.outbox.note_proven_time(*utc);
        }
    }

    void operator()(const northbound::StatusResponse& response) const {
        const std::size_t shown = std::min(response.failures.size(), failures_logged_max);
        for (std::size_t i = 0; i < shown; ++i) {
            const auto& failure = response.failures[i];
            log::warning("the platform refused a sub-device's status",
                         {{"device", failure.device_id},
                          {"code", failure.code},
                          {"why", failure.message},
                          {"refused", std::to_string(response.failures.size())}});
        }
    }

    // Answers to what is not asked yet, and sub-devices that only the file can name so far.
    template <class Other>
    void operator()(const Other&) const {}
};

}  // namespace

void take(Parts& parts, const northbound::Notice& notice) { std::visit(Take{parts}, notice); }

}  // namespace fieldgate
