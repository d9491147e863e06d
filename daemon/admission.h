#pragma once
#include <string>
#include <variant>

#include "daemon/directory.h"
#include "daemon/orders.h"
#include "daemon/rate_limit.h"

namespace fieldgate {

/// The one gate of everything that the platform asks for: rate, target, power, names and values, in
/// this order, all before anything moves. Pure.
///
/// What is allowed is what the local file allows (`remote:`); nothing that comes through here can
/// change that.
class Admission {
public:
    /// Both must outlive it.
    Admission(const Config& config, const Directory& directory)
        : config_(config), directory_(directory) {}

    /// Why a request is not let in, and what the platform is told.
    struct Refused {
        int code = 0;  ///< northbound::result_code
        std::string why;
    };

    std::variant<Order, Refused> admit(northbound::Request request, Instant now);

private:
    using Judged = std::optional<Refused>;

    Judged plan(const northbound::SetProperties& set, Order& order) const;
    Judged plan(const northbound::GetProperties& get, Order& order) const;
    Judged plan(const northbound::CallCommand& call, Order& order) const;
    Judged plan_own(const northbound::CallCommand& call, Order& order) const;
    Judged add_write(Order& order, std::string_view service, std::string_view property,
                     const json::Value& value) const;
    bool is_gateway(DeviceIndex device) const { return device == config_.devices.size(); }
    bool is_in_rate(std::optional<DeviceIndex> device, Instant now);
    bool is_own_service(const std::string& service, DeviceIndex device) const;
    const char* missing_power(const northbound::Request& request) const;

    const Config& config_;
    const Directory& directory_;
    RateLimit rate_;
};

}  // namespace fieldgate
