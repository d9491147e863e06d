#include "daemon/local/reload.h"

#include <chrono>
#include <cstdio>
#include <filesystem>

#include "base/json.h"
#include "daemon/config.h"
#include "daemon/local/answering.h"

namespace fieldgate {
namespace {

// A serial worker may be waited for, and a slow disk.
constexpr std::chrono::seconds patience{60};

void print_lines(std::FILE* out, const char* before, const json::Value* lines) {
    if (!lines || !lines->array()) return;
    for (const json::Value& line : *lines->array())
        if (line.string()) std::fprintf(out, "%s%s\n", before, line.string()->c_str());
}

// Whoever edits a copy is not to take it for what runs.
void warn_of_another(const std::string& config_file, const json::Value* read) {
    if (!read || !read->string()) return;
    std::error_code unknown;
    const bool same = std::filesystem::equivalent(config_file, *read->string(), unknown);
    if (!same && !unknown)
        std::fprintf(stderr, "note: the gateway has read %s, which it runs with; not %s\n",
                     read->string()->c_str(), config_file.c_str());
}

}  // namespace

Exit reload(const std::string& config_file, std::string control) {
    // Which socket is in the configuration; it may be wrong, which is why somebody asks.
    if (control.empty()) control = load_config(config_file).local.control;
    const Result<std::string> answer = ask_local(control, "reload", patience);
    if (!answer) {
        std::fprintf(stderr, "fieldgate reload: %s\n", answer.error().what.c_str());
        return Exit::failed;
    }
    if (answer->empty()) {
        std::fputs("fieldgate reload: the gateway ended before it answered\n", stderr);
        return Exit::failed;
    }
    const Result<json::Value> report = json::parse(*answer, json::Limits{std::size_t{4} << 20, 8});
    const json::Value* const exit = report ? report->get("exit") : nullptr;
    if (!exit || !exit->integer()) {
        std::fprintf(stderr, "fieldgate reload: the gateway does not know it: %s", answer->c_str());
        return Exit::failed;
    }
    if (const json::Value* problems = report->get("problems"); problems && problems->string())
        std::fputs(problems->string()->c_str(), stderr);
    const json::Value* const changes = report->get("changes");
    print_lines(stdout, "", changes);
    print_lines(stdout, "note: ", report->get("remarks"));
    print_lines(stderr, "not applied: ", report->get("failures"));
    warn_of_another(config_file, report->get("main_file"));
    const auto code = static_cast<Exit>(*exit->integer());
    if (code == Exit::well && changes && changes->array() && changes->array()->empty())
        std::puts("nothing has changed");
    if (code == Exit::configuration)
        std::fputs("the gateway goes on as before; nothing was changed\n", stderr);
    return code;
}

}  // namespace fieldgate
