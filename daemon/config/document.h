#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/lines.h"
#include "daemon/config/yaml.h"
#include "daemon/problem.h"

namespace fieldgate::config {

/// One configuration file, read. Places point into it: it must outlive them and not move.
struct Document {
    Document(std::string name, std::string folder_path, std::string contents);
    Document(const Document&) = delete;
    Document& operator=(const Document&) = delete;

    std::string file;    ///< As named from the main file's folder.
    std::string folder;  ///< Where relative paths of this file begin.
    std::string text;
    Lines lines;
    Node root;
};

/// One value in a document, and what people call it.
struct Place {
    const Document* document = nullptr;
    const Node* node = nullptr;
    std::string path;  ///< "services.Electrical.voltage.at"; empty: the document

    Place at(std::string_view key, const Node& child) const;
    Place at(std::size_t index, const Node& child) const;
    /// The same path, but where `other` stands.
    Place pointing_at(const Node& other) const;
    bool is(Node::Kind kind) const { return node->kind == kind; }
};

/// Collects the problems of all files. At most 1,000 of one file; the rest is counted.
class Report {
public:
    void error(const Place& place, std::string what, std::string hint);
    void warning(const Place& place, std::string what, std::string hint);
    /// A fault of the file itself; `document` for the source line.
    void fault(const Document& document, const Fault& fault);
    /// A file that cannot be read at all, and is named nowhere.
    void unreadable(const std::string& file, std::string what, std::string hint);

    /// A warning about the file as a whole.
    void remark(const std::string& file, std::string what, std::string hint);

    bool failed() const { return errors_ > 0; }
    std::size_t errors() const { return errors_; }
    /// All of them, by file, line and column.
    std::vector<Problem> take();

private:
    void add(const Document* document, Problem problem);

    std::vector<Problem> problems_;
    std::map<std::string, std::size_t> per_file_;
    std::size_t errors_ = 0;
};

/// Parses the document's text into its root; false, with problems, if that cannot be.
bool parse(Document& document, Report& report);

}  // namespace fieldgate::config
