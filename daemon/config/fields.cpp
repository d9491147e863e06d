#include "daemon/config/fields.h"

#include <algorithm>

#include "daemon/config/words.h"

namespace fieldgate::config {
namespace {

std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    out.append(text.substr(0, 60));
    if (text.size() > 60) out += "...";
    return out + '"';
}

const char* name_of(Node::Kind kind) {
    switch (kind) {
        case Node::Kind::list:
            return "a list";
        case Node::Kind::map:
            return "a map";
        case Node::Kind::scalar:
            return "a value";
        case Node::Kind::nothing:
            return "nothing";
    }
    return "nothing";
}

// True if the place holds a scalar; else a problem that says what is wanted.
bool expect_scalar(const Place& place, Report& report, const std::string& wanted) {
    if (place.is(Node::Kind::scalar)) return true;
    report.error(place, std::string(name_of(place.node->kind)) + " where " + wanted + " belongs",
                 "write " + wanted);
    return false;
}

std::string number_hint(std::string_view text, bool is_quoted) {
    if (is_quoted) return "remove the quotes";
    const bool octal =
        text.size() > 1 && text[0] == '0' &&
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (octal) return "write it without leading zeros; 0x begins a hexadecimal number";
    return "write digits, such as 12, or 0x0C";
}

}  // namespace

const std::string& raw_text(const Place& place) { return place.node->text; }

bool is_word(const Place& place, std::string_view word) {
    return place.is(Node::Kind::scalar) && !place.node->quoted && place.node->text == word;
}

std::optional<std::string> read_text(const Place& place, Report& report) {
    if (place.is(Node::Kind::map)) {
        report.error(place, "a map where a text belongs",
                     "put a text that begins with { in quotes, such as \"{unit}-meter\"");
        return std::nullopt;
    }
    if (!expect_scalar(place, report, "a text")) return std::nullopt;
    if (place.node->text.empty()) {
        report.error(place, "an empty text", "give it a value, or remove the key");
        return std::nullopt;
    }
    return place.node->text;
}

std::optional<std::int64_t> read_whole(const Place& place, Report& report, std::int64_t min,
                                       std::int64_t max) {
    if (!expect_scalar(place, report, "a whole number")) return std::nullopt;
    const std::string& text = raw_text(place);
    const auto value = place.node->quoted ? std::nullopt : parse_whole(text);
    if (!value) {
        report.error(place, in_quotes(text) + " is no whole number",
                     number_hint(text, place.node->quoted));
        return std::nullopt;
    }
    if (*value < min || *value > max) {
        report.error(place, text + " is out of range",
                     std::to_string(min) + " to " + std::to_string(max));
        return std::nullopt;
    }
    return value;
}

std::optional<microseconds> read_duration(const Place& place, Report& report, microseconds finest,
                                          microseconds min, microseconds max) {
    if (!expect_scalar(place, report, "a duration")) return std::nullopt;
    const std::string& text = raw_text(place);
    const auto value = parse_duration(text);
    if (!value) {
        report.error(place, in_quotes(text) + " is no duration",
                     "write a whole number with its unit (us ms s m h d), such as 500ms or 10s");
        return std::nullopt;
    }
    if (value->count() % finest.count() != 0) {
        report.error(place, text + " is too fine", "whole " + format_duration(finest) + " steps");
        return std::nullopt;
    }
    if (*value < min || *value > max) {
        report.error(place, text + " is out of range",
                     format_duration(min) + " to " + format_duration(max));
        return std::nullopt;
    }
    return value;
}

std::optional<Decimal> read_decimal(const Place& place, Report& report) {
    if (!expect_scalar(place, report, "a number")) return std::nullopt;
    const std::string& text = raw_text(place);
    const bool bare = !place.node->quoted && looks_decimal(text);
    const auto value = bare ? parse_decimal(text) : std::nullopt;
    if (value) return value;
    report.error(place, in_quotes(text) + " is no decimal number",
                 place.node->quoted ? "remove the quotes"
                                    : "write digits with at most one point, such as 0.1");
    return std::nullopt;
}

std::optional<std::size_t> read_word(const Place& place, Report& report,
                                     const std::vector<std::string>& words) {
    std::string wanted = "one of";
    for (const std::string& word : words) wanted += ' ' + word;
    if (!expect_scalar(place, report, wanted)) return std::nullopt;
    const std::string& text = raw_text(place);
    const auto found = std::find(words.begin(), words.end(), text);
    if (found != words.end() && !place.node->quoted)
        return static_cast<std::size_t>(found - words.begin());
    std::string hint = "remove the quotes";
    if (found == words.end()) {
        const std::string near = nearest(text, words);
        hint = near.empty() ? wanted : "did you mean \"" + near + "\"? (" + wanted + ')';
    }
    report.error(place, in_quotes(text) + " is no word that belongs here", hint);
    return std::nullopt;
}

std::vector<Place> read_list(const Place& place, Report& report) {
    std::vector<Place> items;
    if (!place.is(Node::Kind::list)) {
        report.error(place, std::string(name_of(place.node->kind)) + " where a list belongs",
                     "write a list: [a, b]");
        return items;
    }
    for (std::size_t i = 0; i < place.node->items.size(); ++i)
        items.push_back(place.at(i, place.node->items[i]));
    return items;
}

Fields::Fields(Place place, Report& report, Keys map) : map_(std::move(place)), report_(report) {
    const std::vector<std::string>& known = known_keys(map);
    static const Node empty = [] {
        Node node;
        node.kind = Node::Kind::map;
        return node;
    }();
    if (!map_.is(Node::Kind::map)) {
        report_.error(map_, std::string(name_of(map_.node->kind)) + " where a map belongs",
                      did_you_mean("", known));
        no_map_ = true;
        map_.node = &empty;
        return;
    }
    // A thousand unknown keys say enough.
    for (std::size_t i = 0; i < map_.node->keys.size() && guessed_.size() <= 1000; ++i) {
        const Node& key = map_.node->keys[i];
        if (std::find(known.begin(), known.end(), key.text) != known.end()) continue;
        report_.error(map_.at(key.text, key), "unknown key " + in_quotes(key.text),
                      did_you_mean(key.text, known));
        guessed_.push_back(nearest(key.text, known));
    }
}

std::optional<Place> Fields::get(std::string_view key) {
    const Node* node = map_.node->find(key);
    if (node == nullptr) return std::nullopt;
    Place place = map_.at(key, *node);
    if (node->kind != Node::Kind::nothing) return place;
    report_.error(place, "the key has no value", "give it a value, or remove the key");
    return std::nullopt;
}

std::optional<Place> Fields::require(std::string_view key, std::string hint) {
    if (has(key)) return get(key);
    const bool reported =
        no_map_ || std::find(guessed_.begin(), guessed_.end(), key) != guessed_.end();
    if (reported) return std::nullopt;
    report_.error(map_, "the key \"" + std::string(key) + "\" is missing", std::move(hint));
    return std::nullopt;
}

void Fields::text(std::string_view key, std::string& target) {
    if (const auto place = get(key)) {
        if (auto value = read_text(*place, report_)) target = std::move(*value);
    }
}

void Fields::flag(std::string_view key, bool& target) {
    word<bool>(key, target, {{"true", true}, {"false", false}});
}

void Fields::decimal(std::string_view key, std::optional<Decimal>& target) {
    if (const auto place = get(key)) {
        if (const auto value = read_decimal(*place, report_)) target = value;
    }
}

void Fields::size(std::string_view key, std::uint64_t& target, std::uint64_t min,
                  std::uint64_t max) {
    const auto place = get(key);
    if (!place || !expect_scalar(*place, report_, "a size")) return;
    const auto value = parse_size(raw_text(*place));
    if (!value) {
        report_.error(*place, in_quotes(raw_text(*place)) + " is no size",
                      "write a whole number with its unit (B KiB MiB GiB), such as 256MiB");
    } else if (*value < min || *value > max) {
        report_.error(*place, raw_text(*place) + " is out of range",
                      format_size(min) + " to " + format_size(max));
    } else {
        target = *value;
    }
}

void Fields::texts(std::string_view key, std::vector<std::string>& target) {
    const auto place = get(key);
    if (!place) return;
    target.clear();
    for (const Place& item : read_list(*place, report_)) {
        if (auto value = read_text(item, report_)) target.push_back(std::move(*value));
    }
}

}  // namespace fieldgate::config
