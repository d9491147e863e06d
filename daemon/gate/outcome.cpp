#include "daemon/gate/outcome.h"

#include "base/json_writer.h"
#include "model/mapping.h"
#include "storage/ledger.h"

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;
// With every byte of it escaped it still fits the ledger.
constexpr std::size_t text_bytes_max = 8UL * 1024;
static_assert(6 * text_bytes_max + 1024 <= storage::Ledger::answer_bytes_max);

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

// A value that was written, in the word that the command has for it.
Value word_for(const CommandRule& rule, const Value& written) {
    for (const auto& [word, value] : rule.values)
        if (value == written) return word;
    return written;
}

// When it went well, exactly what the model's response names; a reason where it did not.
std::string paras_of(const Order& order, int code, std::string_view text) {
    const CommandRule& rule = *order.command;
    std::string paras;
    const auto add = [&](std::string_view name, const std::string& value) {
        paras += paras.empty() ? '{' : ',';
        json::append_string(paras, name);
        paras += ':' + value;
    };
    if (rule.response_has_result) add("result", std::string("\"") + result_word(code) + '"');
    if (code != codes::success) {
        std::string reason;
        json::append_string(reason, text);
        add("reason", reason);
    }
    for (const CommandRule::Echo& echo : rule.response_echoes) {
        const Value& written = order.writes.front().value;
        const Value told = echo.parameter ? word_for(rule, written) : written;
        std::string value;
        const bool fits = code == codes::success && append_fitted(value, told, &echo.model);
        if (fits) add(echo.model.name, value);
    }
    if (!paras.empty()) paras += '}';
    return paras;
}

// As conf/models/Gateway has it: RESULT { result, detail }.
CallAnswer own_answer(int code, std::string_view text) {
    CallAnswer answer;
    answer.code = code;
    answer.response_name = "RESULT";
    const bool done = code == codes::success;
    const bool unknown = code == codes::unknown;
    json::Writer out(answer.paras);
    out.open_object().member("result", done ? "done" : unknown ? "unknown" : "refused");
    out.member("detail", text).close_object();
    return answer;
}

northbound::Answer answer_of(const Order& order, int code, const std::string& text) {
    if (order.own) return own_answer(code, text);
    if (!order.command) return SetAnswer{code, text};
    return CallAnswer{code, order.command->response, paras_of(order, code, text), ""};
}

// Cut at the end of a character of UTF-8.
std::string shortened(std::string text, std::size_t bytes) {
    constexpr std::string_view mark = "...";
    if (text.size() <= bytes) return text;
    std::size_t end = bytes - mark.size();
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
    return text.append(mark);
}

// What encode_outcome() made. A note of an older version does not say all.
Outcome decode(const Order& order, const std::string& text) {
    const Result<json::Value> kept = json::parse(text);
    const json::Value* code = kept ? kept->get("code") : nullptr;
    if (!code || !code->integer())
        return outcome_of(order, codes::unknown, "done before; how it ended is not known any more");
    Outcome outcome = outcome_of(order, static_cast<int>(*code->integer()), text_of(*kept, "text"));
    const bool is_call = order.own || order.command;
    if (!is_call || kept->get("response")) outcome.answer = *decode_answer(text);
    return outcome;
}

}  // namespace

Outcome outcome_of(const Order& order, int code, std::string text) {
    if (order.acts()) text = shortened(std::move(text), text_bytes_max);
    Outcome outcome{{}, code, std::move(text)};
    outcome.answer = answer_of(order, code, outcome.text);
    return outcome;
}

Outcome outcome_not_begun(const Order& order) {
    return outcome_of(order, codes::busy, "busy: not begun in time");
}

Outcome outcome_not_noted(const Order& order, const Error& why) {
    if (why.code == Errc::busy) return outcome_of(order, codes::busy, "busy: " + why.what);
    return outcome_of(order, codes::not_noted, "not done, since it cannot be noted: " + why.what);
}

Outcome outcome_doubtful(const Order& order) {
    return outcome_of(order, codes::busy, "busy: it may be a copy of one refused before a restart");
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
    out.open_object().member("code", outcome.code).member("text", outcome.text);
    if (const auto* call = std::get_if<CallAnswer>(&outcome.answer))
        out.member("response", call->response_name).member("paras", call->paras);
    out.close_object();
    return text;
}

std::optional<northbound::Answer> decode_answer(const std::string& kept) {
    const Result<json::Value> outcome = json::parse(kept);
    const json::Value* code = outcome ? outcome->get("code") : nullptr;
    if (!code || !code->integer()) return std::nullopt;
    const int number = static_cast<int>(*code->integer());
    if (!outcome->get("response")) return SetAnswer{number, text_of(*outcome, "text")};
    return CallAnswer{number, text_of(*outcome, "response"), text_of(*outcome, "paras"), ""};
}

}  // namespace fieldgate
