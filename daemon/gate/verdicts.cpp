#include "daemon/gate/verdicts.h"

#include <utility>

namespace fieldgate {
namespace {

struct Bytes {
    std::size_t operator()(const northbound::SetAnswer& answer) const { return answer.text.size(); }
    std::size_t operator()(const northbound::GetAnswer& /*read anew*/) const { return 0; }
    std::size_t operator()(const northbound::CallAnswer& answer) const {
        return answer.response_name.size() + answer.paras.size() + answer.text.size();
    }
};

}  // namespace

const Verdicts::Verdict* Verdicts::find(const std::string& request_id) const {
    const auto found = verdicts_.find(request_id);
    return found == verdicts_.end() ? nullptr : &found->second;
}

void Verdicts::add(std::string request_id, Verdict verdict, Instant now) {
    std::optional<northbound::Answer>& answer = verdict.answer;
    if (answer && std::holds_alternative<northbound::GetAnswer>(*answer)) return;
    if (answer && std::visit(Bytes(), *answer) > answer_bytes_max) answer.reset();
    if (!verdicts_.emplace(request_id, std::move(verdict)).second) return;
    told_.push_back({now, std::move(request_id)});
    if (told_.size() <= max) return;
    verdicts_.erase(told_.front().request_id);
    told_.pop_front();
}

bool Verdicts::add_refusal(const std::string& request_id, Verdict verdict, Instant now) {
    const bool full = told_.size() >= refusals_max && now - told_.front().at < kept;
    if (full && !verdicts_.contains(request_id)) return false;
    add(request_id, std::move(verdict), now);
    return true;
}

}  // namespace fieldgate
