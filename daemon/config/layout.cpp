#include "daemon/config/layout.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

namespace fieldgate::config {
namespace {

// More than any configuration needs (the reader allows 32), less than the parser bears (500).
constexpr std::size_t nesting_max = 64;

class Layout {
public:
    Layout(std::string_view text, const Lines& lines) : text_(text), lines_(lines) {}

    std::vector<Fault> scan() {
        std::size_t begin = 0;
        while (begin <= text_.size() && faults_.empty()) {
            const std::size_t end = std::min(text_.find('\n', begin), text_.size());
            ++number_;
            std::string_view line = text_.substr(begin, end - begin);
            if (line.ends_with('\r')) line.remove_suffix(1);
            scan_line(line);
            begin = end + 1;
        }
        if (faults_.empty() && !open_.empty()) {
            const Open& first = open_.back();
            faults_.push_back(
                {first.line, first.column, std::string("\"") + first.bracket + "\" is never closed",
                 std::string("close it with \"") + (first.bracket == '[' ? ']' : '}') +
                     "\"; put a text that begins with it in quotes"});
        }
        return std::move(faults_);
    }

private:
    struct Open {
        int line;
        int column;
        char bracket;
    };

    void fault(std::size_t byte, std::string what, std::string hint) {
        faults_.push_back(
            {number_, lines_.column(number_, byte), std::move(what), std::move(hint)});
    }

    void scan_line(std::string_view line) {
        if (!check_characters(line)) return;
        const std::size_t indent = line.find_first_not_of(" \t");
        if (indent == std::string_view::npos) return;
        if (block_indent_) {
            if (indent > *block_indent_) return;
            block_indent_.reset();
        }
        if (line[indent] == '#') return;
        if (line.substr(0, indent).find('\t') != std::string_view::npos) {
            fault(line.find('\t'), "a tab in the indentation", "indent with spaces");
            return;
        }
        if (line[0] == '%' && open_.empty()) {
            fault(0, "a YAML directive", "remove it; put a text that begins with % in quotes");
            return;
        }
        if (open_.empty() && !nest(line, indent)) return;
        scan_tokens(line, indent);
    }

    bool check_characters(std::string_view line) {
        for (std::size_t at = 0; at < line.size();) {
            const std::size_t length = utf8_length(line.substr(at, 4));
            const auto byte = static_cast<std::uint8_t>(line[at]);
            if (length == 0) {
                fault(at, "a byte that is no UTF-8", "save the file as UTF-8");
                return false;
            }
            if ((byte < 0x20 && byte != '\t') || byte == 0x7F) {
                char name[8];
                (void)std::snprintf(name, sizeof name, "0x%02X", byte);
                fault(at, std::string("the control character ") + name, "remove it");
                return false;
            }
            at += length;
        }
        return true;
    }

    // Block nesting: the columns at which the maps and lists that this line stands in begin.
    bool nest(std::string_view line, std::size_t indent) {
        while (!indents_.empty() && indents_.back() >= indent) indents_.pop_back();
        std::size_t at = indent;
        for (;;) {
            indents_.push_back(at);
            if (indents_.size() > nesting_max) {
                too_deep(at);
                return false;
            }
            const bool item =
                (line[at] == '-' || line[at] == '?') && at + 1 < line.size() && line[at + 1] == ' ';
            if (!item) return true;
            at = line.find_first_not_of(' ', at + 1);
            if (at == std::string_view::npos) return true;
        }
    }

    void too_deep(std::size_t byte) {
        fault(byte, "nested too deep", "no configuration needs more than 32 levels");
    }

    void scan_tokens(std::string_view line, std::size_t at) {
        bool fresh = true;  // a scalar may begin here
        for (; at < line.size(); ++at) {
            const char c = line[at];
            const char before = at > 0 ? line[at - 1] : ' ';
            if (c == ' ' || c == '\t') continue;
            if (c == '#' && (before == ' ' || before == '\t')) return;
            if (fresh && (c == '"' || c == '\'')) {
                at = skip_quoted(line, at);
                if (at == std::string_view::npos) return;
                fresh = false;
                continue;
            }
            if (fresh && (c == '|' || c == '>') && open_.empty()) {
                block_indent_ = line.find_first_not_of(' ');
                return;
            }
            if (!bracket(c, fresh, at)) return;
            fresh = begins_scalar(line, at, fresh);
        }
    }

    // False if the nesting is too deep.
    bool bracket(char c, bool fresh, std::size_t at) {
        if ((c == '[' || c == '{') && (fresh || !open_.empty())) {
            open_.push_back({number_, lines_.column(number_, at), c});
            if (open_.size() <= nesting_max) return true;
            too_deep(at);
            return false;
        }
        if ((c == ']' || c == '}') && !open_.empty()) open_.pop_back();
        return true;
    }

    bool begins_scalar(std::string_view line, std::size_t at, bool fresh) const {
        const char c = line[at];
        const bool spaced = at + 1 >= line.size() || line[at + 1] == ' ' || line[at + 1] == '\t';
        if (c == ':') return spaced || !open_.empty();
        if (c == '-' || c == '?') return fresh && spaced;
        if (c == ',' || c == '[' || c == '{') return !open_.empty();
        return false;
    }

    // The closing quote; npos, with a fault, if the line has none: what YAML folds over lines is,
    // in a configuration, a quote that somebody forgot.
    std::size_t skip_quoted(std::string_view line, std::size_t begin) {
        const char quote = line[begin];
        for (std::size_t at = begin + 1; at < line.size(); ++at) {
            if (quote == '"' && line[at] == '\\') {
                ++at;
            } else if (line[at] == quote) {
                const bool doubled = quote == '\'' && at + 1 < line.size() && line[at + 1] == '\'';
                if (!doubled) return at;
                ++at;
            }
        }
        fault(begin, "a quote that is not closed on its line",
              std::string("close it with ") + quote);
        return std::string_view::npos;
    }

    std::string_view text_;
    const Lines& lines_;
    int number_ = 0;
    std::vector<std::size_t> indents_;
    std::vector<Open> open_;
    std::optional<std::size_t> block_indent_;
    std::vector<Fault> faults_;
};

}  // namespace

std::vector<Fault> scan_layout(std::string_view text, const Lines& lines) {
    return Layout(text, lines).scan();
}

}  // namespace fieldgate::config
