#include "daemon/notices.h"

#include <algorithm>

#include "base/log.h"

namespace fieldgate {
namespace {

constexpr std::size_t devices_logged_max = 5;

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

    // A device that is refused for the second time is no news.
    void operator()(const northbound::StatusResponse& response) const {
        const Devices::News news = parts.devices.hear(response, Event::Clock::now());
        for (std::size_t i = 0; i < std::min(news.refused.size(), devices_logged_max); ++i)
            log::warning("the platform refused a sub-device's status",
                         {{"device", news.refused[i].device_id},
                          {"code", news.refused[i].code},
                          {"why", news.refused[i].message},
                          {"refused", std::to_string(news.refused.size())}});
        for (std::size_t i = 0; i < std::min(news.accepted.size(), devices_logged_max); ++i)
            log::notice(
                "the platform takes a sub-device that it had refused",
                {{"device", news.accepted[i]}, {"taken", std::to_string(news.accepted.size())}});
    }

    // To the platform they are new, whatever it knew before.
    void operator()(const northbound::SubDevicesAdded& added) const {
        std::vector<std::string> device_ids;
        for (const northbound::SubDevice& device : added.devices)
            device_ids.push_back(device.device_id);
        parts.devices.added(device_ids);
    }

    void operator()(const northbound::SubDevicesDeleted& gone) const {
        parts.devices.deleted(gone.device_ids, Event::Clock::now());
    }

    // Answers to what is not asked yet.
    template <class Other>
    void operator()(const Other&) const {}
};

}  // namespace

void take(Parts& parts, const northbound::Notice& notice) { std::visit(Take{parts}, notice); }

}  // namespace fieldgate
