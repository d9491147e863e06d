#include "daemon/outcome.h"

#include "base/json_writer.h"
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

// Which kind of answer an order wants.
struct Form {
    bool own = false;
    bool command = false;  // of a sub-device
    std::string response;
    bool has_result = false;
};

Form form_of(const Order& order) {
    if (!order.command) return {order.own.has_value(), false, "", false};
    return {false, true, order.command->response, order.command->response_has_result};
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

northbound::Answer answer_of(const Form& form, int code, std::string text) {
    if (form.own) return own_answer(code, text);
    if (!form.command) return SetAnswer{code, std::move(text)};
    CallAnswer answer;
    answer.code = code;
    answer.text = std::move(text);
    answer.response_name = form.response;
    if (form.has_result) answer.paras = std::string(R"({"result":")") + result_word(code) + R"("})";
    return answer;
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
    if (order.acts()) text = shortened(std::move(text), text_bytes_max);
    Outcome outcome{{}, code, std::move(text)};
    outcome.answer = answer_of(form_of(order), code, outcome.text);
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

std::string encode_outcome(const Order& order, const Outcome& outcome) {
    const Form form = form_of(order);
    std::string text;
    json::Writer out(text);
    out.open_object().member("code", outcome.code).member("text", outcome.text);
    if (form.own) out.member("own", true);
    if (form.command) out.member("response", form.response).member("result", form.has_result);
    out.close_object();
    return text;
}

std::optional<northbound::Answer> decode_answer(const std::string& kept) {
    const Result<json::Value> outcome = json::parse(kept);
    const json::Value* code = outcome ? outcome->get("code") : nullptr;
    if (!code || !code->integer()) return std::nullopt;
    const auto is = [&](std::string_view key) {
        const json::Value* member = outcome->get(key);
        return member && member->boolean() && *member->boolean();
    };
    const Form form{is("own"), outcome->get("response") != nullptr, text_of(*outcome, "response"),
                    is("result")};
    return answer_of(form, static_cast<int>(*code->integer()), text_of(*outcome, "text"));
}

}  // namespace fieldgate
