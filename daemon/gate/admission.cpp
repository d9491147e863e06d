#include "daemon/gate/admission.h"

#include <algorithm>

#include "daemon/gate/answers.h"
#include "model/accept.h"

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;

// An order that has waited longer is not begun: it might not end before it is answered.
constexpr std::chrono::seconds begin_within{10};

// What a parameter of a command says as a word, to be looked up in the rule's `values`.
std::string word_of(const json::Value& parameter) {
    if (parameter.string()) return *parameter.string();
    std::string text;
    json::append_value(text, parameter);
    return text;
}

Admission::Refused no_such_command(const northbound::CallCommand& call) {
    std::string why = "no command " + in_quotes(call.command);
    if (!call.service_id.empty()) why += " of service " + in_quotes(call.service_id);
    return {codes::unknown_name, why + " here"};
}

// The power in `remote:` that the request needs and does not have; nullptr: it may pass.
const char* missing_power(const northbound::Request& request, const RemoteSettings& remote) {
    if (std::holds_alternative<northbound::GetProperties>(request.ask)) return nullptr;
    const auto* call = std::get_if<northbound::CallCommand>(&request.ask);
    if (!call || !request.device_id.empty()) return remote.write ? nullptr : "write";
    const char* power = power_for(call->command).value_or(nullptr);  // unknown: seen later
    return has_power(remote, power) ? nullptr : power;
}

using Judged = std::optional<Admission::Refused>;

/// What a request means for its device, written into `order`; or why it may not be.
struct Planner {
    Order& order;

    Judged operator()(const northbound::SetProperties& set) const;
    Judged operator()(const northbound::GetProperties& get) const;
    Judged operator()(const northbound::CallCommand& call) const;

    const Directory& directory() const { return order.site->directory; }
    Judged plan_own(const northbound::CallCommand& call) const;
    Judged add_write(std::string_view service, std::string_view property,
                     const json::Value& value) const;
    bool is_own_service(const std::string& service) const;
};

Judged Planner::operator()(const northbound::SetProperties& set) const {
    for (const auto& service : set.services)
        for (const auto& [property, value] : service.properties)
            if (Judged no = add_write(service.service_id, property, value)) return no;
    if (order.writes.empty()) return Admission::Refused{codes::malformed, "nothing to set"};
    return std::nullopt;
}

Judged Planner::operator()(const northbound::GetProperties& get) const {
    order.points = directory().points(order.device, get.service_id.value_or(""));
    return std::nullopt;
}

// The service of the shipped model, or what this site's template calls it.
bool Planner::is_own_service(const std::string& service) const {
    return service.empty() || service == "Gateway" ||
           !directory().points(order.device, service).empty();
}

Judged Planner::plan_own(const northbound::CallCommand& call) const {
    if (!power_for(call.command) || !is_own_service(call.service_id)) return no_such_command(call);
    const Result<OwnCommand> own = parse_own(call, *order.site);
    if (!own) {
        const bool malformed = own.error().code == Errc::bad_data;
        return Admission::Refused{malformed ? codes::malformed : codes::bad_value,
                                  own.error().what};
    }
    order.own = *own;
    return std::nullopt;
}

Judged Planner::operator()(const northbound::CallCommand& call) const {
    if (order.device == DeviceTable::gateway) return plan_own(call);
    order.command = directory().command(order.device, {call.service_id, call.command});
    if (!order.command) return no_such_command(call);
    const CommandRule& rule = *order.command;
    const auto parameter = std::find_if(call.paras.begin(), call.paras.end(),
                                        [&](const auto& p) { return p.first == rule.parameter; });
    if (parameter == call.paras.end())
        return Admission::Refused{codes::malformed,
                                  "the parameter " + in_quotes(rule.parameter) + " is missing"};
    if (rule.values.empty()) return add_write(rule.service, rule.property, parameter->second);
    const std::string word = word_of(parameter->second);
    const auto meant = std::find_if(rule.values.begin(), rule.values.end(),
                                    [&](const auto& value) { return value.first == word; });
    if (meant == rule.values.end())
        return Admission::Refused{
            codes::bad_value,
            in_quotes(word) + " is no value of the parameter " + in_quotes(rule.parameter)};
    // The reader has seen to it that the cloud may write the point, and that the value fits.
    const auto point = directory().point(order.device, {rule.service, rule.property});
    order.writes.push_back({*point, meant->second});
    return std::nullopt;
}

Judged Planner::add_write(std::string_view service, std::string_view property,
                          const json::Value& value) const {
    if (order.writes.size() >= Order::writes_max)
        return Admission::Refused{
            codes::malformed,
            "more than " + std::to_string(Order::writes_max) + " values in one request"};
    const auto point = directory().point(order.device, {service, property});
    if (!point)
        return Admission::Refused{
            codes::unknown_name,
            "no property " + in_quotes(property) + " of service " + in_quotes(service) + " here"};
    const Point& target = (*directory().template_of(order.device).points)[*point];
    if (target.write && !target.write->from.cloud)
        return Admission::Refused{
            codes::not_permitted,
            in_quotes(property) + ": the cloud may not write it, says its write.from"};
    const Result<Value> wanted = accept_write(value, target);
    if (!wanted) {
        const bool closed = wanted.error().code == Errc::unsupported;
        return Admission::Refused{closed ? codes::not_permitted : codes::bad_value,
                                  in_quotes(property) + ": " + wanted.error().what};
    }
    const bool twice = std::any_of(order.writes.begin(), order.writes.end(),
                                   [&](const Order::Write& one) { return one.point == *point; });
    if (twice) return Admission::Refused{codes::malformed, in_quotes(property) + " is there twice"};
    order.writes.push_back({*point, *wanted});
    return std::nullopt;
}

}  // namespace

std::variant<Order, Admission::Refused> Admission::admit(const northbound::Request& request,
                                                         const SitePtr& site, Instant now) {
    const std::optional<DeviceIndex> device = site->directory.device(request.device_id);
    if (!is_in_rate(device, now))
        return Refused{codes::busy, "busy: more requests than may be taken"};
    if (!device)
        return Refused{codes::unknown_name, "no device " + in_quotes(request.device_id) + " here"};
    if (const char* power = missing_power(request, site->config.remote))
        return Refused{codes::not_permitted,
                       std::string("not permitted: remote.") + power + " is off in this gateway"};
    Order order;
    order.site = site;
    order.device = *device;
    order.id = request.id;
    order.digest = request.digest;
    order.received = now;
    order.begin_before = now + begin_within;
    order.not_after = now + Answers::patience;
    const Judged no = std::visit(Planner{order}, request.ask);
    if (no) return *no;
    return order;
}

bool Admission::is_in_rate(std::optional<DeviceIndex> device, Instant now) {
    if (!device) return rate_.take_unknown(now);
    return *device == DeviceTable::gateway ? rate_.take_gateway(now) : rate_.take(*device, now);
}

}  // namespace fieldgate
