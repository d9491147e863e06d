#include "daemon/config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <sstream>

#include "daemon/config/layout.h"

namespace fieldgate::config {
namespace {

constexpr std::size_t nodes_max = 100'000;
constexpr std::size_t depth_max = 32;
constexpr std::size_t faults_max = 100;

// Thrown out of an event, and caught below: the parser has no other way to be stopped.
struct Enough {};

// Builds our tree from the parser's events. A fault is noted, and the rest of the text is still
// looked at; only too many values or a second document end it.
class Builder final : public YAML::EventHandler {
public:
    Builder(const Lines& lines, ParsedYaml& out) : lines_(lines), out_(out) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ == 2) {
            fault(mark, "a second document", "one file is one document; remove the \"---\"");
            throw Enough();  // of some texts the parser makes documents without end
        }
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(scalar(mark, {}, false)); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        fault(mark, "an alias (\"*\") is not allowed",
              "write the value out; put a text that begins with * in quotes");
        add(scalar(mark, {}, false));
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  const std::string& value) override {
        check_tag(mark, tag);
        Node node = scalar(mark, value, tag == "!");
        node.kind = Node::Kind::scalar;
        add(std::move(node));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {
        begin(mark, tag, Node::Kind::list);
    }
    void OnSequenceEnd() override { end(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {
        begin(mark, tag, Node::Kind::map);
    }
    void OnMapEnd() override { end(); }
    void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
        fault(mark, "an anchor (\"&" + name + "\") is not allowed",
              "write the value out where it is wanted; put a text that begins with & in quotes");
    }

    void fault(const YAML::Mark& mark, std::string what, std::string hint) {
        if (out_.faults.size() >= faults_max) return;
        const int line = mark.line + 1;
        const auto byte = static_cast<std::size_t>(std::max(mark.column, 0));
        out_.faults.push_back({line, lines_.column(line, byte), std::move(what), std::move(hint)});
    }

private:
    // A container that is still open; `key` waits for its value.
    struct Open {
        Node node;
        bool has_key = false;
    };

    Node scalar(const YAML::Mark& mark, const std::string& text, bool quoted) const {
        Node node;
        node.line = mark.line + 1;
        node.column = lines_.column(node.line, static_cast<std::size_t>(std::max(mark.column, 0)));
        node.quoted = quoted;
        node.text = text;
        return node;
    }

    void check_tag(const YAML::Mark& mark, const std::string& tag) {
        if (tag.empty() || tag == "?" || tag == "!") return;
        fault(mark, "a tag (\"" + tag + "\") is not allowed",
              "remove it; put a text that begins with ! in quotes");
    }

    void begin(const YAML::Mark& mark, const std::string& tag, Node::Kind kind) {
        check_tag(mark, tag);
        if (open_.size() == depth_max && !deep_) {
            deep_ = true;
            fault(mark, "nested deeper than 32 levels",
                  "no configuration needs more than 32 levels");
        }
        Open open;
        open.node = scalar(mark, {}, false);
        open.node.kind = kind;
        open_.push_back(std::move(open));
    }

    void end() {
        Node node = std::move(open_.back().node);
        open_.pop_back();
        if (node.kind == Node::Kind::map) check_keys(node);
        add(std::move(node));
    }

    void add(Node node) {
        if (++nodes_ > nodes_max) {
            out_.faults.push_back({node.line, node.column, "more than 100,000 values",
                                   "split the site into several files"});
            throw Enough();
        }
        if (deep_) return;
        if (open_.empty()) {
            out_.root = std::move(node);
            return;
        }
        Open& open = open_.back();
        if (open.node.kind == Node::Kind::map && !open.has_key) {
            open.node.keys.push_back(std::move(node));
            open.has_key = true;
            return;
        }
        if (open.has_key && node.kind == Node::Kind::nothing) {
            // The parser reports a missing value where the next thing begins.
            node.line = open.node.keys.back().line;
            node.column = open.node.keys.back().column;
        }
        open.has_key = false;
        open.node.items.push_back(std::move(node));
    }

    void check_keys(const Node& map) {
        std::vector<std::size_t> order(map.keys.size());
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return map.keys[a].text < map.keys[b].text;
        });
        for (std::size_t i = 0; i < order.size() && out_.faults.size() < faults_max; ++i) {
            const Node& key = map.keys[order[i]];
            if (key.kind != Node::Kind::scalar) {
                out_.faults.push_back({key.line, key.column, "a key that is no word",
                                       "a key is one word; quote it if it begins with [ or {"});
            } else if (key.text == "<<" && !key.quoted) {
                out_.faults.push_back({key.line, key.column, "a merge key (\"<<\") is not allowed",
                                       "write the values out"});
            } else if (i > 0 && map.keys[order[i - 1]].kind == Node::Kind::scalar &&
                       map.keys[order[i - 1]].text == key.text) {
                out_.faults.push_back(
                    {key.line, key.column, "the key \"" + key.text + "\" stands twice",
                     "it stands first in line " + std::to_string(map.keys[order[i - 1]].line) +
                         "; remove one of them"});
            }
        }
    }

    const Lines& lines_;
    ParsedYaml& out_;
    std::vector<Open> open_;
    std::size_t nodes_ = 0;
    int documents_ = 0;
    bool deep_ = false;
};

// What the parser stumbled over, up to the next separator.
std::string word_at(std::string_view line, std::size_t byte) {
    if (byte >= line.size()) return {};
    line.remove_prefix(byte);
    return std::string(line.substr(0, std::min<std::size_t>(line.find_first_of(" ,]}#"), 40)));
}

void explain(const YAML::Exception& e, const Lines& lines, Builder& builder) {
    YAML::Mark mark = e.mark;
    if (mark.is_null()) mark.pos = mark.line = mark.column = 0;
    const std::string_view line = lines.line(mark.line + 1);
    const auto byte = static_cast<std::size_t>(std::max(mark.column, 0));
    const std::string word = word_at(line, byte);
    const char first = byte < line.size() ? line[byte] : ' ';
    if (e.msg == YAML::ErrorMsg::UNKNOWN_ANCHOR) {
        builder.fault(mark, "an alias (\"*\") is not allowed", "put it in quotes: \"" + word + '"');
    } else if (std::strchr("%@`!", first) != nullptr && first != '\0') {
        builder.fault(mark, std::string("a text cannot begin with \"") + first + '"',
                      "put it in quotes: \"" + word + '"');
    } else if (e.msg == YAML::ErrorMsg::END_OF_MAP_FLOW && first == '{') {
        builder.fault(mark, "text before \"{\"",
                      "put a text with { in it in quotes, such as \"meter-{unit}\"");
    } else if ((e.msg == YAML::ErrorMsg::END_OF_MAP || e.msg == YAML::ErrorMsg::END_OF_MAP_FLOW) &&
               line.find('}') < byte) {
        builder.fault(mark, "text after \"}\"",
                      "put a text with { in it in quotes, such as \"{unit}-meter\"");
    } else if (e.msg == YAML::ErrorMsg::MAP_VALUE) {
        builder.fault(mark, "\":\" is not expected here",
                      "check the indentation; put a text with a colon in it in quotes");
    } else if (e.msg == YAML::ErrorMsg::BAD_FILE) {
        builder.fault(mark, "nested too deep", "no configuration needs more than 32 levels");
    } else {
        builder.fault(mark, "no YAML: " + e.msg,
                      "check brackets, commas, quotes and the indentation up to here");
    }
}

}  // namespace

const Node* Node::find(std::string_view key) const {
    for (std::size_t i = 0; i < keys.size() && i < items.size(); ++i) {
        if (keys[i].text == key) return &items[i];
    }
    return nullptr;
}

ParsedYaml parse_yaml(const std::string& text, const Lines& lines) {
    ParsedYaml parsed;
    if (text.size() > file_bytes_max) {
        parsed.faults.push_back({1, 1, "larger than 1 MB", "split the site into several files"});
        return parsed;
    }
    parsed.faults = scan_layout(text, lines);
    if (!parsed.faults.empty()) return parsed;
    Builder builder(lines, parsed);
    try {
        std::istringstream in(text);
        YAML::Parser parser(in);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Enough&) {
    } catch (const YAML::Exception& e) {
        explain(e, lines, builder);
    }
    return parsed;
}

}  // namespace fieldgate::config
