#include "daemon/requests.h"

#include "base/json_writer.h"
#include "base/log.h"

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;

struct Told {
    std::string what;
    std::string detail;
};

// A request in the words of the audit log.
struct Tell {
    Told operator()(const northbound::SetProperties& set) const {
        Told told{"property set", "{"};
        for (const auto& service : set.services)
            for (const auto& [name, value] : service.properties) {
                if (told.detail.size() > 1) told.detail += ',';
                json::append_string(told.detail, service.service_id + "." + name);
                told.detail += ':';
                json::append_value(told.detail, value);
            }
        told.detail += '}';
        return told;
    }
    Told operator()(const northbound::GetProperties& get) const {
        return {"property get", get.service_id.value_or("")};
    }
    Told operator()(const northbound::CallCommand& call) const {
        Told told{"command", call.service_id + "." + call.command + " "};
        json::append_value(told.detail, json::Value(call.paras));
        return told;
    }
};

}  // namespace

Requests::Requests(const asio::any_io_executor& loop, const Config& config, const EventClock& clock,
                   storage::Audit& audit)
    : config_(config),
      clock_(clock),
      audit_(audit),
      directory_(config),
      admission_(config, directory_),
      answers_(loop) {
    for (std::size_t i = 0; i <= config.buses.size(); ++i) orders_.emplace_back(loop);
}

void Requests::take(northbound::Request request, Instant now) {
    ++counters_.received;
    auto admitted = admission_.admit(request, now);
    if (const auto* no = std::get_if<Admission::Refused>(&admitted))
        return refuse(request, no->code, no->why);
    if (!answers_.owe(request, now)) {
        ++counters_.copies;
        return;
    }
    Order& order = std::get<Order>(admitted);
    const bool own = order.device == config_.devices.size();
    const std::size_t bus = own ? config_.buses.size() : config_.devices[order.device].bus;
    if (orders_[bus].push(std::move(order))) return;
    ++counters_.busy;
    answers_.give(request.id, northbound::refusal(request, codes::busy, "busy: too many wait"));
}

void Requests::refuse(const northbound::Request& request, int code, const std::string& why) {
    if (code == codes::busy) {
        ++counters_.busy;  // a flood is counted, not written down line by line
    } else {
        ++counters_.refused;
        audit(request, "refused: " + why);
    }
    answers_.refuse(request.id, northbound::refusal(request, code, why));
}

void Requests::settle(const Order& order, Outcome outcome) {
    switch (outcome.code) {
        case codes::success:
            ++counters_.done;
            break;
        case codes::busy:
            ++counters_.busy;
            break;
        case codes::unknown:
            ++counters_.unknown;
            break;
        default:
            ++counters_.failed;
            break;
    }
    audit(order.request, outcome.text);
    answers_.give(order.request.id, std::move(outcome.answer));
}

void Requests::settle(const Order& order, northbound::GetAnswer answer) {
    ++counters_.done;
    answers_.give(order.request.id, std::move(answer));
}

void Requests::repeat(const Order& order, Outcome outcome) {
    ++counters_.copies;
    answers_.give(order.request.id, std::move(outcome.answer));
}

void Requests::audit(const northbound::Request& request, const std::string& result) {
    Told told = std::visit(Tell(), request.ask);
    storage::AuditEntry entry;
    entry.what = std::move(told.what);
    entry.target = request.device_id.empty() ? "gateway" : request.device_id;
    entry.detail = std::move(told.detail);
    entry.result = result;
    audit(std::move(entry));
}

void Requests::audit(storage::AuditEntry entry) {
    const EventClock::Stamp stamp = clock_.stamp(Event::Clock::now());
    entry.at = stamp.at;
    entry.proven = stamp.proven;
    audit_.append(std::move(entry));
}

}  // namespace fieldgate
