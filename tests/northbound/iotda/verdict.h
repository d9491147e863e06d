#pragma once
#include <gtest/gtest.h>

#include <string>

#include "northbound/iotda/downlink.h"

namespace fieldgate::northbound::iotda {

inline const std::string sys = "$oc/devices/gw/sys/";
inline const std::string set_topic = sys + "properties/set/request_id=r-1";
inline const std::string get_topic = sys + "properties/get/request_id=r-1";
inline const std::string call_topic = sys + "commands/request_id=r-1";
inline const std::string shadow_answer = sys + "shadow/get/response/request_id=r-1";
inline const std::string events = sys + "events/down";

/// What decode() made of it, in a word.
inline std::string verdict(const std::string& topic, const std::string& payload) {
    const Decoded decoded = decode("gw", topic, payload);
    if (decoded.downlinks.empty())
        return decoded.passed.empty() ? "nothing" : to_string(decoded.passed.front().why);
    const Downlink& downlink = decoded.downlinks.front();
    if (std::holds_alternative<Request>(downlink)) return "request";
    if (std::holds_alternative<Notice>(downlink)) return "notice";
    const auto& malformed = std::get<Malformed>(downlink);
    EXPECT_EQ(malformed.id, "r-1");
    EXPECT_FALSE(malformed.why.empty());
    const auto* set = std::get_if<SetAnswer>(&malformed.answer);
    const auto* call = std::get_if<CallAnswer>(&malformed.answer);
    EXPECT_TRUE(!set || set->code != result_code::success);
    EXPECT_TRUE(!call || call->code != result_code::success);
    return "malformed";
}

}  // namespace fieldgate::northbound::iotda
