#pragma once
#include <string>
#include <string_view>

#include "northbound/request.h"

/// Answers to the platform's requests (protocol reference 2.3, 2.4, 3.1). Pure.
namespace fieldgate::northbound::iotda {

/// Where the answer to request `id` goes; its kind is in the topic.
std::string answer_topic(std::string_view device_id, std::string_view id, const Answer& answer);

/// The services of a GetAnswer carry their time in whole seconds: this message knows no other form.
std::string encode_answer(const Answer& answer);

}  // namespace fieldgate::northbound::iotda
