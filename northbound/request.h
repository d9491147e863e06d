#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "model/reading.h"
#include "model/record.h"

/// What the platform asks of us and what we answer, whichever road it came by. Values only.
namespace fieldgate::northbound {

struct SetProperties {
    struct Service {
        std::string service_id;
        json::Value::Object properties;  ///< Any JSON, null too: judged by whoever writes it.
    };
    std::vector<Service> services;  ///< One at least; a service may stand more than once.
};

struct GetProperties {
    std::optional<std::string> service_id;  ///< None: all services.
};

struct CallCommand {
    std::string service_id;  ///< Empty if the platform named none.
    std::string command;     ///< Empty if the platform named none.
    json::Value::Object paras;
};

struct Request {
    std::string id;         ///< The platform's, opaque; the answer is found by it alone.
    std::string device_id;  ///< The sub-device; empty: the gateway itself.
    std::variant<SetProperties, GetProperties, CallCommand> ask;
    std::string digest;  ///< SHA-256 of what came, hex: tells a copy from another use of the id.
    Instant received{};  ///< When it came off the wire: from then on the platform waits.
};

/// result_code: 0 is success, every other number is ours to give a meaning (protocol
/// reference 11.4).
namespace result_code {
inline constexpr int success = 0;
inline constexpr int not_permitted = 1;
inline constexpr int malformed = 2;
inline constexpr int busy = 3;
inline constexpr int unknown_name = 4;    ///< no such device, property or command here
inline constexpr int bad_value = 5;       ///< outside of the model or of the template's limits
inline constexpr int device_refused = 6;  ///< the device answered with an exception
inline constexpr int mismatch = 7;        ///< taken by the device, but read back otherwise
inline constexpr int unknown = 8;         ///< it may have been done or not: it is not repeated
inline constexpr int not_reached = 9;     ///< the device cannot be reached: nothing was sent
inline constexpr int not_noted = 10;      ///< the ledger cannot be written: nothing was done
}  // namespace result_code

struct SetAnswer {
    int code = result_code::success;
    std::string text;
};

/// Has no result code: what cannot be told is left out.
struct GetAnswer {
    struct Service {
        std::string service_id;
        std::string properties;  ///< A JSON object as text.
        Utc at;
    };
    std::vector<Service> services;
};

struct CallAnswer {
    int code = result_code::success;
    std::string response_name;  ///< Of the product model; empty: none.
    std::string paras;          ///< A JSON object as text; empty: none.
    std::string text;  ///< Of what went wrong: told as a parameter `reason` where there are no
                       ///< others.
};

using Answer = std::variant<SetAnswer, GetAnswer, CallAnswer>;

/// The answer of that kind which says no: `code` is not 0.
Answer refusal(const Request& request, int code, std::string_view why);

}  // namespace fieldgate::northbound
