#include "daemon/outcome.h"

#include "base/json_writer.h"

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;
using northbound::CallAnswer;
using northbound::SetAnswer;

const char* result_word(int code) {
    if (code == codes::success) return "written";
    return code == codes::unknown || code == codes::mismatch ? "unknown" : "refused";
}

std::string text_of(const json::Value& object, std::string_view key) {
    const json::Value* member = object.get(key);
    return member && member->string() ? *member->string() : std::string();
}

// As conf/models/Gateway has it: RESULT { result, detail }.
CallAnswer own_answer(const Outcome& outcome) {
    CallAnswer answer;
    answer.code = outcome.code;
    answer.response_name = "RESULT";
    const bool done = outcome.code == codes::success;
    const bool unknown = outcome.code == codes::unknown;
    json::Writer out(answer.paras);
    out.open_object().member("result", done ? "done" : unknown ? "unknown" : "refused");
    out.member("detail", outcome.text).close_object();
    return answer;
}

// What encode_outcome() made.
Outcome decode(const Order& order, const std::string& text) {
    const Result<json::Value> kept = json::parse(text);
    const json::Value* code = kept ? kept->get("code") : nullptr;
    if (!code || !code->integer())
        return outcome_of(order, codes::unknown, "done before; how it ended is not known any more");
    return outcome_of(order, static_cast<int>(*code->integer()), text_of(*kept, "text"));
}

}  // namespace

Outcome outcome_of(const Order& order, int code, std::string text) {
    Outcome outcome{{}, code, std::move(text)};
    if (order.own) {
        outcome.answer = own_answer(outcome);
        return outcome;
    }
    if (!order.command) {
        outcome.answer = SetAnswer{code, outcome.text};
        return outcome;
    }
    CallAnswer answer;
    answer.code = code;
    answer.text = outcome.text;
    answer.response_name = order.command->response;
    if (order.command->response_has_result)
        answer.paras = std::string(R"({"result":")") + result_word(code) + R"("})";
    outcome.answer = std::move(answer);
    return outcome;
}

Outcome outcome_not_begun(const Order& order) {
    return outcome_of(order, codes::busy, "busy: not begun in time");
}

Outcome outcome_not_noted(const Order& order, const Error& why) {
    if (why.code == Errc::busy) return outcome_of(order, codes::busy, "busy: " + why.what);
    return outcome_of(order, codes::not_noted, "not done, since it cannot be noted: " + why.what);
}

Outcome outcome_of_copy(const Order& order, const storage::LedgerEntry& entry) {
    using State = storage::LedgerEntry::State;
    if (entry.state == State::finished) return decode(order, entry.answer);
    if (entry.state == State::different)
        return outcome_of(order, codes::malformed, "this request id stood for something else");
    return outcome_of(order, codes::unknown,
                      "begun before and not finished: not repeated, read back what it is now");
}

std::string encode_outcome(const Outcome& outcome) {
    std::string text;
    json::Writer out(text);
    out.open_object().member("code", outcome.code).member("text", outcome.text).close_object();
    return text;
}

}  // namespace fieldgate
