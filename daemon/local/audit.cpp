#include "daemon/local/audit.h"

#include <cstdio>

#include "base/json_writer.h"
#include "daemon/config.h"
#include "model/event_time.h"
#include "storage/audit_file.h"

namespace fieldgate {
namespace {

using storage::AuditRow;
using storage::ChainCheck;

constexpr std::size_t page_rows = 500;

// What came from the cloud must not speak to the terminal: no control characters, C0 or C1.
std::string printable(const std::string& text) {
    std::string shown;
    for (const char each : text) {
        const auto byte = static_cast<unsigned char>(each);
        const bool second = !shown.empty() && shown.back() == '\xC2';
        if (second && byte < 0xA0) shown.pop_back();
        const bool control = byte < 0x20 || byte == 0x7F || (second && byte < 0xA0);
        shown += control ? '?' : each;
    }
    return shown;
}

/// The rows, and the verdict, as text for people or as one JSON object.
class Listing {
public:
    explicit Listing(bool as_json) : as_json_(as_json), out_(text_) {
        if (as_json_) out_.open_object().key("rows").open_array();
    }

    void add(const AuditRow& row) {
        std::string at;
        append_event_time(at, row.entry.at);
        if (as_json_)
            add_object(row, at);
        else
            add_line(row, at);
    }

    void end(const ChainCheck& check) {
        if (!as_json_) return end_text(check);
        out_.close_array().member("kept", check.rows()).member("dropped", check.dropped());
        out_.member("whole", !check.broken().has_value());
        if (check.broken()) out_.member("first_broken", *check.broken());
        out_.close_object();
        text_ += '\n';
    }

    void print() {
        std::fputs(text_.c_str(), stdout);
        text_.clear();
    }

private:
    void add_object(const AuditRow& row, const std::string& at) {
        out_.open_object().member("seq", row.seq).member("at", at);
        out_.member("proven", row.entry.proven).member("who", row.who);
        out_.member("what", row.entry.what).member("target", row.entry.target);
        out_.member("result", row.entry.result).member("detail", row.entry.detail);
        out_.member("hash", row.hash).close_object();
    }

    void add_line(const AuditRow& row, const std::string& at) {
        text_ += std::to_string(row.seq) + "  " + at + (row.entry.proven ? "   " : "?  ");
        for (const std::string* field :
             {&row.who, &row.entry.what, &row.entry.target, &row.entry.result, &row.entry.detail})
            text_ += (field == &row.who ? "" : "  ") + (field->empty() ? "-" : printable(*field));
        text_ += '\n';
    }

    void end_text(const ChainCheck& check) {
        const std::string rows = std::to_string(check.rows()) + " rows, " +
                                 std::to_string(check.dropped()) + " older ones dropped: ";
        if (check.broken())
            text_ += rows + "the chain is BROKEN at row " + std::to_string(*check.broken()) + "\n";
        else
            text_ += rows + "the chain is whole\n";
    }

    bool as_json_;
    std::string text_;
    json::Writer out_;
};

Exit failed(const Error& error) {
    std::fprintf(stderr, "fieldgate audit: %s\n", error.what.c_str());
    return Exit::failed;
}

}  // namespace

Exit audit(const std::string& config_file, bool as_json, std::uint64_t since) {
    // Which folder is in the configuration, as far as that can be read; who looks may not be
    // allowed to read its secrets. Else where the store usually is.
    const LoadedConfig loaded = load_config(config_file);
    const std::string& folder = loaded.store_path;
    if (!loaded.config)
        std::fprintf(stderr, "fieldgate audit: %s has problems, reading %s\n", config_file.c_str(),
                     folder.c_str());
    storage::AuditFile file;
    const Result<void> opened = file.open(folder);
    if (!opened) return failed(opened.error());
    ChainCheck check;
    Listing listing(as_json);
    for (bool more = true; more;) {
        const Result<storage::AuditPage> page = file.read(check.next(), page_rows);
        if (!page) return failed(page.error());
        for (const AuditRow& row : page->rows)
            if (row.seq >= since) listing.add(row);
        listing.print();
        more = check.take(*page);
    }
    listing.end(check);
    listing.print();
    return check.broken() ? Exit::failed : Exit::well;
}

}  // namespace fieldgate
