#pragma once
#include <string>
#include <variant>

#include "daemon/gate/orders.h"
#include "daemon/gate/rate_limit.h"
#include "daemon/site/site.h"

namespace fieldgate {

/// The one gate of everything that the platform asks for: rate, target, power, names and values, in
/// this order, all before anything moves. Pure.
///
/// What is allowed is what the local file allows (`remote:`); nothing that comes through here can
/// change that.
class Admission {
public:
    /// Why a request is not let in, and what the platform is told.
    struct Refused {
        int code = 0;  ///< northbound::result_code
        std::string why;
    };

    /// By what `site` allows and knows.
    std::variant<Order, Refused> admit(const northbound::Request& request, const SitePtr& site,
                                       Instant now);

private:
    bool is_in_rate(std::optional<DeviceIndex> device, Instant now);

    RateLimit rate_;
};

}  // namespace fieldgate
