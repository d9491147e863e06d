#include "northbound/iotda/announcement.h"

#include "base/expect.h"
#include "northbound/iotda/registration.h"
#include "northbound/iotda/shadow.h"
#include "northbound/iotda/sub_device_list.h"
#include "northbound/iotda/time_sync.h"
#include "northbound/iotda/topics.h"

namespace fieldgate::northbound::iotda {
namespace {

struct Encode {
    std::string_view device_id;
    std::string_view event_id;
    Utc now;

    Publication event(std::string payload) const {
        return {events_up_topic(device_id), std::move(payload)};
    }

    Publication operator()(const StatusReport&) const {
        expect(false, "statuses to be cut into requests");
        return {};
    }
    Publication operator()(const TimeQuestion& question) const {
        return event(encode_time_question(question, event_id, now));
    }
    Publication operator()(const SyncQuestion& question) const {
        return event(encode_sync_question(question, event_id, now));
    }
    Publication operator()(const AddSubDevices& request) const {
        return event(encode_add(request, device_id, now));
    }
    Publication operator()(const DeleteSubDevices& request) const {
        return event(encode_delete(request, now));
    }
    Publication operator()(const ShadowQuestion& question) const {
        return {shadow_topic(device_id, question.request_id), encode_shadow_question(question)};
    }
};

}  // namespace

Publication encode(const Announcement& announcement, std::string_view device_id,
                   std::string_view event_id, Utc now) {
    return std::visit(Encode{device_id, event_id, now}, announcement);
}

}  // namespace fieldgate::northbound::iotda
