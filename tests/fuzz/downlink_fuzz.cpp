// Any message on any topic that the platform may use; the first byte chooses the topic. What is
// understood is whole; what is answered is JSON, on a topic that is never taken for a request.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "base/expect.h"
#include "base/json.h"
#include "northbound/iotda/answers.h"
#include "northbound/iotda/downlink.h"

namespace {

using namespace fieldgate;
using namespace fieldgate::northbound;

const std::string sys = "$oc/devices/gw/sys/";
const std::array topics{
    sys + "properties/set/request_id=1",
    sys + "properties/get/request_id=1",
    sys + "commands/request_id=1",
    sys + "events/down",
    sys + "shadow/get/response/request_id=1",
    sys + "messages/down",
    std::string("$oc/broadcast/site"),
};

void check_answer(const std::string& id, const Answer& answer) {
    expect(!id.empty() && id.size() <= iotda::request_id_max, "an id of a length allowed");
    expect(json::parse(iotda::encode_answer(answer)).has_value(), "an answer that is JSON");
    const auto echo = iotda::decode("gw", iotda::answer_topic("gw", id, answer), "{}");
    expect(echo.downlinks.empty(), "an answer not to be a request");
}

struct Check {
    void operator()(const Request& request) const {
        expect(request.digest.size() == 64, "a digest");
        check_answer(request.id, refusal(request, result_code::busy, "busy"));
        if (const auto* set = std::get_if<SetProperties>(&request.ask)) {
            expect(!set->services.empty(), "something to set");
            for (const auto& service : set->services)
                expect(!service.service_id.empty(), "a service with a name");
        }
    }
    void operator()(const Malformed& malformed) const {
        expect(!malformed.why.empty(), "a reason");
        check_answer(malformed.id, malformed.answer);
    }
    void operator()(const Notice& notice) const {
        if (const auto* time = std::get_if<TimeAnswer>(&notice)) {
            TimeSync sync;
            sync.ask(Instant(), time->device_sent);
            const auto now = sync.hear(*time, Instant(std::chrono::milliseconds(5)));
            expect(!now || *now >= Utc(), "a time after 1970");
        }
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    std::string topic;
    std::string_view payload = text;
    if (data[0] % 8 < topics.size()) {
        topic = topics[data[0] % 8];
    } else {  // the topic comes first, up to the end of its line
        topic = sys + std::string(text.substr(0, text.find('\n')));
        payload = text.substr(std::min(text.size(), topic.size() - sys.size() + 1));
    }
    const iotda::Decoded decoded = iotda::decode("gw", topic, payload);
    for (const Downlink& downlink : decoded.downlinks) std::visit(Check(), downlink);
    return 0;
}
