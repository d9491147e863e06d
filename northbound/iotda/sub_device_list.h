#pragma once
#include <string>

#include "base/result.h"
#include "northbound/iotda/event.h"
#include "northbound/sub_device_list.h"

/// The list of sub-devices, as the platform tells it (protocol reference 4.1 to 4.3). Pure.
namespace fieldgate::northbound::iotda {

/// Errors of both: bad_data (no version, no list). A single entry that cannot be read is left out
/// and counted: it must not keep the others from arriving.
Result<SubDevicesAdded> decode_added(const Event& event);
Result<SubDevicesDeleted> decode_deleted(const Event& event);

std::string encode_sync_question(const SyncQuestion& question, std::string_view event_id, Utc now);

/// One entry. `node_id` is mandatory in some messages only.
SubDevice read_sub_device(MemberReader& entry);

}  // namespace fieldgate::northbound::iotda
