#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/lines.h"

namespace fieldgate::config {

/// One value of a YAML document, as it was written: a scalar keeps its text, so that nobody guesses
/// its type before the schema has asked for one.
struct Node {
    enum class Kind : std::uint8_t { nothing, scalar, list, map };
    Kind kind = Kind::nothing;
    bool quoted = false;
    int line = 1;             ///< From 1.
    int column = 1;           ///< From 1, in characters.
    std::string text;         ///< scalar
    std::vector<Node> keys;   ///< map; scalars, each once
    std::vector<Node> items;  ///< list; map: parallel to keys

    const Node* find(std::string_view key) const;
};

struct ParsedYaml {
    Node root;
    std::vector<Fault> faults;  ///< If there is one, the tree may be incomplete.
};

/// Reads one YAML document strictly: at most 1 MB, 100,000 nodes, 32 levels; UTF-8; no anchors,
/// aliases, merge keys, tags, directives, second documents; no key twice. Nothing is expanded, so
/// the time is linear in the text. `lines` are those of `text`.
ParsedYaml parse_yaml(const std::string& text, const Lines& lines);

/// The size beyond which a file is not read at all.
inline constexpr std::size_t file_bytes_max = 1'000'000;

}  // namespace fieldgate::config
