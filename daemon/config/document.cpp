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
        if (line.size() <= shown_line_bytes_max) problem.line_text = line;
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
