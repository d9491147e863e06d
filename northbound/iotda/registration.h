#pragma once
#include <string>

#include "base/result.h"
#include "northbound/iotda/event.h"
#include "northbound/sub_device_list.h"

/// Sub-devices that the gateway adds to the platform's list or takes from it (protocol
/// reference 4.6 to 4.9). Pure.
namespace fieldgate::northbound::iotda {

/// `gateway_id` is told as the parent.
std::string encode_add(const AddSubDevices& request, std::string_view gateway_id, Utc now);
std::string encode_delete(const DeleteSubDevices& request, Utc now);

/// Errors of both: bad_data.
Result<AddResponse> decode_add_response(const Event& event);
Result<DeleteResponse> decode_delete_response(const Event& event);

}  // namespace fieldgate::northbound::iotda
