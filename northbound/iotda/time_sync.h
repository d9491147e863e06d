#pragma once
#include <string>

#include "base/result.h"
#include "northbound/iotda/event.h"
#include "northbound/time_sync.h"

/// $time_sync (protocol reference 5.1). Pure.
namespace fieldgate::northbound::iotda {

std::string encode_time_question(const TimeQuestion& question, std::string_view event_id, Utc now);

/// Of a time_sync_response. Errors: bad_data.
Result<TimeAnswer> decode_time_answer(const Event& event);

}  // namespace fieldgate::northbound::iotda
