#include "daemon/config/document.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace fieldgate::config {
namespace {

constexpr std::size_t problems_per_file_max = 1000;
// A caret under a longer line helps nobody, and a hostile line would be copied a thousand times.
constexpr std::size_t shown_line_bytes_max = 1000;

std::string without_mark(std::string text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    return text;
}

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

// What is printed here goes to the journal, and on to whoever collects journals. A key of a secret
// followed by anything but a reference to one, or a user's name and password in an address.
bool may_hold_secret(std::string_view line) {
    const std::string lower = lower_case(line);
    for (const std::string_view word : {"secret", "passw", "token", "pwd"}) {
        for (auto at = lower.find(word); at != std::string::npos; at = lower.find(word, at + 1)) {
            const auto colon = std::min(lower.find(':', at), at + word.size());
            const auto value = lower.find_first_not_of(": '\"", colon);
            if (value == std::string::npos) continue;
            const std::string_view rest = std::string_view(lower).substr(value);
            if (!rest.starts_with("cred:") && !rest.starts_with('/')) return true;
        }
    }
    const auto authority = lower.find("://");
    return authority != std::string::npos && lower.find('@', authority) != std::string::npos;
}

// Whatever its keys are called: a name that is wrong is no name that we know.
bool is_about_identity(std::string_view path) {
    return path.starts_with("platform.auth") || path.starts_with("provisioning");
}

}  // namespace

Document::Document(std::string name, std::string folder_path, std::string contents)
    : file(std::move(name)),
      folder(std::move(folder_path)),
      text(without_mark(std::move(contents))),
      lines(text) {}

Place Place::at(std::string_view key, const Node& child) const {
    std::string name = path;
    if (!name.empty()) name += '.';
    return {document, &child, name.append(key)};
}

Place Place::at(std::size_t index, const Node& child) const {
    return {document, &child, path + '[' + std::to_string(index) + ']'};
}

Place Place::pointing_at(const Node& other) const { return {document, &other, path}; }

void Report::add(const Document* document, Problem problem) {
    const bool error = problem.severity == Problem::Severity::error;
    if (error) ++errors_;
    std::size_t& count = per_file_[problem.file];
    if (++count > problems_per_file_max) return;
    if (count == problems_per_file_max) {
        problem.what = "more than 1,000 problems in this file";
        problem.hint = "correct those above first";
    }
    if (document != nullptr) {
        const std::string_view line = document->lines.line(problem.line);
        const bool secret = is_about_identity(problem.path) || may_hold_secret(line);
        if (line.size() <= shown_line_bytes_max && !secret) problem.line_text = line;
    }
    problems_.push_back(std::move(problem));
}

void Report::error(const Place& place, std::string what, std::string hint) {
    add(place.document, {place.document->file,
                         place.node->line,
                         place.node->column,
                         place.path,
                         Problem::Severity::error,
                         std::move(what),
                         std::move(hint),
                         {}});
}

void Report::warning(const Place& place, std::string what, std::string hint) {
    add(place.document, {place.document->file,
                         place.node->line,
                         place.node->column,
                         place.path,
                         Problem::Severity::warning,
                         std::move(what),
                         std::move(hint),
                         {}});
}

void Report::fault(const Document& document, const Fault& fault) {
    add(&document, {document.file,
                    fault.line,
                    fault.column,
                    {},
                    Problem::Severity::error,
                    fault.what,
                    fault.hint,
                    {}});
}

void Report::unreadable(const std::string& file, std::string what, std::string hint) {
    add(nullptr, {file, 1, 1, {}, Problem::Severity::error, std::move(what), std::move(hint), {}});
}

void Report::remark(const std::string& file, std::string what, std::string hint) {
    add(nullptr,
        {file, 1, 1, {}, Problem::Severity::warning, std::move(what), std::move(hint), {}});
}

std::vector<Problem> Report::take() {
    std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
        return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
    });
    return std::exchange(problems_, {});
}

bool parse(Document& document, Report& report) {
    ParsedYaml parsed = parse_yaml(document.text, document.lines);
    for (const Fault& fault : parsed.faults) report.fault(document, fault);
    document.root = std::move(parsed.root);
    if (!parsed.faults.empty()) return false;
    if (document.root.kind == Node::Kind::map) return true;
    report.error({&document, &document.root, {}}, "the file holds no keys",
                 "begin with a key, such as \"schema: 1\"");
    return false;
}

}  // namespace fieldgate::config
