#pragma once
#include <string>
#include <variant>

#include "northbound/request.h"
#include "northbound/shadow.h"
#include "northbound/sub_device_list.h"
#include "northbound/sub_devices.h"
#include "northbound/time_sync.h"

namespace fieldgate::northbound {

/// What the platform lets us know. It expects no answer at this level; a feature whose notices do
/// want one says so in its own header.
using Notice = std::variant<TimeAnswer, StatusResponse, SubDevicesAdded, SubDevicesDeleted,
                            AddResponse, DeleteResponse, Shadow>;

/// A request that makes no sense: all that can be done is to send the answer.
struct Malformed {
    std::string id;
    Answer answer;
    std::string why;
    Instant received{};
};

/// One thing that came from the platform.
using Downlink = std::variant<Request, Malformed, Notice>;

/// What the gateway says besides data and answers.
using Announcement = std::variant<StatusReport, TimeQuestion, SyncQuestion, AddSubDevices,
                                  DeleteSubDevices, ShadowQuestion>;

}  // namespace fieldgate::northbound
