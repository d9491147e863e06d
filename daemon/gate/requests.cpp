#include "daemon/gate/requests.h"

#include "base/json_writer.h"
#include "base/log.h"
#include "northbound/iotda/downlink.h"

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;

constexpr std::string_view key_prefix = "request/";  // in the ledger
static_assert(key_prefix.size() + northbound::iotda::request_id_max <=
              storage::Ledger::id_bytes_max);
constexpr std::size_t detail_bytes = 1024;  // more the audit does not take
const char* const too_many = "busy: too many wait";
const char* const reconfigured = "busy: the site is being changed";

std::string key_of(const Order& order) { return std::string(key_prefix) + order.id; }

struct Question {
    std::string what;
    std::string detail;
};

bool may_have_acted(int code) {
    return code == codes::success || code == codes::device_refused || code == codes::mismatch ||
           code == codes::unknown;
}

// A request in the words of the audit log.
struct Tell {
    Question operator()(const northbound::SetProperties& set) const {
        Question told{"property set", "{"};
        for (const auto& service : set.services)
            for (const auto& [name, value] : service.properties) {
                if (told.detail.size() > detail_bytes) break;
                if (told.detail.size() > 1) told.detail += ',';
                json::append_string(told.detail, service.service_id + "." + name);
                told.detail += ':';
                json::append_value(told.detail, value);
            }
        told.detail += '}';
        return told;
    }
    Question operator()(const northbound::GetProperties& get) const {
        return {"property get", get.service_id.value_or("")};
    }
    Question operator()(const northbound::CallCommand& call) const {
        Question told{"command", call.service_id + "." + call.command + " "};
        json::append_value(told.detail, json::Value(call.paras));
        return told;
    }
};

}  // namespace

Requests::Requests(const asio::any_io_executor& loop, SitePtr site, const EventClock& clock,
                   storage::ControlStore& control, Queues queues)
    : site_(std::move(site)),
      clock_(clock),
      audit_(control.audit()),
      ledger_(control.ledger()),
      answers_(loop),
      queues_(std::move(queues)) {}

// The store may be opened, or opened anew, at any time.
void Requests::recall() {
    for (storage::LedgerNote& note : ledger_.take_recent()) {
        if (!note.id.starts_with(key_prefix)) continue;
        answers_.recall(note.id.substr(key_prefix.size()), std::move(note.digest),
                        decode_answer(note.answer));
    }
}

void Requests::mark() {
    ledger_.mark([this](bool durable) {
        recall();
        answers_.allow_unnoted(durable);
        if (!durable) answers_.give_up_held();
    });
}

void Requests::take(const northbound::Malformed& malformed, Instant now) {
    ++counters_.received;
    ++counters_.malformed;
    storage::AuditEntry entry;
    entry.what = "malformed request";
    entry.target = "unknown";
    entry.detail = malformed.why;
    entry.result = "refused";
    count(std::move(entry), codes::malformed);
    // An id that will be answered, or was, has one verdict.
    if (answers_.is_known(malformed.id)) return;
    answers_.refuse(malformed.id, malformed.answer, now);
}

// Copies are told what the first was told, whatever the rate; only the first has a say in it.
bool Requests::is_copy(const northbound::Request& request, Answers::Known known, Instant now) {
    using Known = Answers::Known;
    if (known == Known::no || known == Known::noted) return false;
    if (known == Known::different) {
        refuse(request, codes::malformed, "this request id stood for something else", now);
        return true;
    }
    ++counters_.copies;
    if (known == Known::told) answers_.repeat(request, now);
    if (answers_.holds()) mark();
    return true;
}

std::optional<Order> Requests::take(northbound::Request request, Instant now) {
    ++counters_.received;
    recall();
    if (answers_.holds()) mark();
    answers_.allow_unnoted(ledger_.marked());
    const Answers::Known known = answers_.known(request);
    if (is_copy(request, known, now)) return std::nullopt;
    // Nobody has begun it, and nobody will: by now its time is over.
    if (known == Answers::Known::no && Event::Clock::now() - now >= Answers::patience) {
        refuse_flood(request, "busy: heard too late", now);
        return std::nullopt;
    }
    auto admitted = admission_.admit(request, site_, now);
    if (const auto* no = std::get_if<Admission::Refused>(&admitted)) {
        if (known == Answers::Known::noted)
            ++counters_.copies;  // this is not what it was told, and nobody looks what that was
        else if (no->code == codes::busy)
            refuse_flood(request, no->why, now);
        else
            refuse(request, no->code, no->why, now);
        return std::nullopt;
    }
    Order& order = std::get<Order>(admitted);
    order.asked = entry_of(request, "");
    order.seen_before = known == Answers::Known::noted;
    answers_.owe(request, now, order.acts());
    if (order.acts()) return std::move(order);
    if (const char* why = push(order)) {
        ++counters_.busy;
        answers_.give(request.id, northbound::refusal(request, codes::busy, why));
    }
    return std::nullopt;
}

const char* Requests::push(Order& order) {
    const Config& config = order.site->config;
    std::string bus;
    if (const DeviceConfig* device = order.site->directory.config_of(order.device))
        bus = config.buses[device->bus].name;
    if (order.own && order.own->needs_wire()) bus = config.buses[order.own->bus].name;
    Orders* const queue = queues_(bus);
    if (!queue) return reconfigured;
    return queue->push(order) ? nullptr : too_many;
}

asio::awaitable<void> Requests::note(Order order) {
    using State = storage::LedgerEntry::State;
    const std::string id = order.id;
    const Result<storage::LedgerEntry> noted = co_await ledger_.begin(key_of(order), order.digest);
    if (!noted && order.seen_before) {
        repeat(order,
               outcome_of(order, codes::unknown,
                          "seen before; what became of it cannot be read now: not repeated"));
        co_return;
    }
    if (!noted) {
        Outcome outcome = outcome_not_noted(order, noted.error());
        ledger_.note_later(key_of(order), order.digest, encode_outcome(outcome));
        audit(order, outcome);
        count(outcome);
        answers_.allow_unnoted(ledger_.marked());
        answers_.give_unnoted(id, std::move(outcome.answer));
        mark();
        co_return;
    }
    if (noted->state == State::doubtful) {
        co_await settle(order, outcome_doubtful(order));
        co_return;
    }
    if (noted->state != State::fresh) {
        repeat(order, outcome_of_copy(order, *noted));
        co_return;
    }
    if (!answers_.noted(id)) {
        co_await settle(order, outcome_not_begun(order));
        co_return;
    }
    const char* const why = push(order);
    if (!why) co_return;
    Outcome outcome = outcome_of(order, codes::busy, why);
    co_await settle(order, std::move(outcome));
}

void Requests::refuse(const northbound::Request& request, int code, const std::string& why,
                      Instant now) {
    ++counters_.refused;
    count(entry_of(request, "refused: " + why), code);
    answers_.refuse(request, northbound::refusal(request, code, why), now, false);
}

void Requests::refuse_flood(const northbound::Request& request, const std::string& why,
                            Instant now) {
    ++counters_.busy;
    count(entry_of(request, "refused: " + why), codes::busy);
    const bool reads = std::holds_alternative<northbound::GetProperties>(request.ask);
    answers_.refuse(request, northbound::refusal(request, codes::busy, why), now, !reads);
    mark();
}

void Requests::count(const Outcome& outcome) {
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
}

void Requests::tell(const Order& order, Outcome outcome) {
    count(outcome);
    answers_.give(order.id, std::move(outcome.answer));
}

asio::awaitable<void> Requests::settle(const Order& order, Outcome outcome) {
    audit(order, outcome);
    if (order.acts()) {
        const Result<void> kept = co_await ledger_.finish(key_of(order), encode_outcome(outcome));
        if (!kept) log::warning("an outcome is not on disk yet", {{"why", kept.error().what}});
    }
    tell(order, std::move(outcome));
}

void Requests::settle(const Order& order, northbound::GetAnswer answer) {
    ++counters_.done;
    answers_.give(order.id, std::move(answer));
}

void Requests::repeat(const Order& order, Outcome outcome) {
    ++counters_.copies;
    answers_.give(order.id, std::move(outcome.answer));
}

storage::AuditEntry Requests::entry_of(const northbound::Request& request,
                                       std::string result) const {
    Question told = std::visit(Tell(), request.ask);
    storage::AuditEntry entry;
    entry.what = std::move(told.what);
    const bool known = site_->directory.device(request.device_id).has_value();
    entry.target = request.device_id.empty() ? "gateway" : request.device_id;
    if (!known && !request.device_id.empty()) entry.target = "unknown device";
    entry.detail = std::move(told.detail);
    entry.result = std::move(result);
    return entry;
}

void Requests::count(storage::AuditEntry entry, int code) {
    if (auto row = tally_.add(std::move(entry), code, Event::Clock::now())) audit(std::move(*row));
}

// What may have changed something has a line of its own, whoever asks for whatever else.
void Requests::audit(const Order& order, const Outcome& outcome) {
    storage::AuditEntry entry = order.asked;
    entry.result = outcome.text;
    if (order.acts() && may_have_acted(outcome.code))
        audit(std::move(entry));
    else
        count(std::move(entry), outcome.code);
}

void Requests::audit_counts(Instant now) {
    for (storage::AuditEntry& row : tally_.due(now)) audit(std::move(row));
}

void Requests::audit(storage::AuditEntry entry) {
    const EventClock::Stamp stamp = clock_.stamp(Event::Clock::now());
    entry.at = stamp.at;
    entry.proven = stamp.proven;
    audit_.append(std::move(entry));
}

}  // namespace fieldgate
