#include <algorithm>
#include <cmath>

#include "model/mapping.h"

namespace fieldgate {
namespace {

bool is_floating(const Value& value) {
    return std::holds_alternative<float>(value) || std::holds_alternative<double>(value);
}

bool is_word(const Value& value) {
    return std::holds_alternative<bool>(value) || std::holds_alternative<std::string>(value);
}

bool differs(const Value& a, const Value& b) {
    if (a.index() == b.index() && !std::holds_alternative<Decimal>(a)) return a != b;
    const auto left = as_decimal(a);
    const auto right = as_decimal(b);
    if (left && right) return compare(*left, *right) != 0;
    return as_number(a) != as_number(b);
}

std::optional<Decimal> negative(Decimal value) { return multiply(value, {-1, 0}); }

std::optional<Decimal> magnitude(std::optional<Decimal> value) {
    if (!value || value->mantissa >= 0) return value;
    return negative(*value);
}

// Whether `value` is at least the rule's amount away from `last`, in decimals; nullopt if they do
// not reach that far.
std::optional<bool> is_far(const ReportRule& rule, const Value& value, const Value& last) {
    const auto here = as_decimal(value);
    const auto there = as_decimal(last);
    const auto back = there ? negative(*there) : std::nullopt;
    const auto distance = here && back ? magnitude(add(*here, *back)) : std::nullopt;
    if (!distance) return std::nullopt;
    if (rule.change == ReportRule::Change::absolute) return compare(*distance, rule.amount) >= 0;
    const auto size = magnitude(there);
    const auto hundredfold = multiply(*distance, {100, 0});
    const auto share = size ? multiply(rule.amount, *size) : std::nullopt;
    if (!hundredfold || !share) return std::nullopt;
    return compare(*hundredfold, *share) >= 0;
}

// Both are numbers, and differ.
bool moved_enough(const ReportRule& rule, const Value& value, const Value& last) {
    const double here = *as_number(value);
    const double there = *as_number(last);
    const bool absolute = rule.change == ReportRule::Change::absolute;
    const double amount = to_double(rule.amount);
    const double enough = absolute ? amount : amount * std::fabs(there) / 100;
    const double distance = std::fabs(here - there);
    // Floats are dear to turn into decimals, so only where binary cannot tell.
    const double unsure = 1e-6 * (std::fabs(here) + std::fabs(there));
    if (is_floating(value) && std::fabs(distance - enough) > unsure) return distance > enough;
    return is_far(rule, value, last).value_or(distance >= enough);
}

// A wire's schedule trembles. Without this, a reading every second with min: 1s would now and then
// come a millisecond early, and wait for another second.
std::chrono::milliseconds tremble(std::chrono::milliseconds interval) {
    return std::min(interval / 20, std::chrono::milliseconds(50));
}

}  // namespace

bool worth_sending(const ReportRule& rule, const Value& value, Instant now, const Value* last_sent,
                   Instant last_sent_at) {
    if (!last_sent) return true;
    const auto age = now - last_sent_at;
    if (rule.min.count() > 0 && age < rule.min - tremble(rule.min)) return false;
    if (rule.max.count() > 0 && age >= rule.max - tremble(rule.max)) return true;
    if (rule.change == ReportRule::Change::every_reading) return true;
    if (!differs(value, *last_sent)) return false;
    const bool by_amount =
        rule.change == ReportRule::Change::absolute || rule.change == ReportRule::Change::percent;
    if (!by_amount || is_word(value) || is_word(*last_sent)) return true;
    return moved_enough(rule, value, *last_sent);
}

}  // namespace fieldgate
