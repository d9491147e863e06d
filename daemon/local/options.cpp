#include "daemon/local/options.h"

// CLI11: header-only, in Debian, kept by its community, the field's usual choice.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "daemon/config.h"
#include "daemon/local/answering.h"
#include "daemon/local/audit.h"
#include "daemon/local/check.h"
#include "daemon/local/reload.h"
#include "daemon/local/status.h"
#include "daemon/run.h"

namespace fieldgate {
namespace {

Exit print_status(const std::string& control, bool as_json) {
    const Result<std::string> answer = ask_local(control, "status");
    if (!answer) {
        std::fprintf(stderr, "fieldgate status: %s\n", answer.error().what.c_str());
        return Exit::failed;
    }
    std::fputs((as_json ? *answer : status_text(*answer)).c_str(), stdout);
    return Exit::well;
}

Exit status(const std::string& config_file, std::string control, bool as_json) {
    // Which socket is in the configuration. Who asks may not be allowed to read its secrets.
    if (control.empty()) control = load_config(config_file).local.control;
    return print_status(control, as_json);
}

}  // namespace

int run_command_line(int argc, char** argv) {
    CLI::App app("fieldgate: carries industrial devices to the cloud");
    app.require_subcommand(1);
    app.set_help_all_flag("--help-all", "Help of every command");
    std::string config_file = "/etc/fieldgate/fieldgate.yaml";
    std::string control;
    bool as_json = false;
    bool plan = false;
    std::uint64_t since = 0;

    auto* run_command = app.add_subcommand("run", "Run the gateway until SIGTERM");
    auto* check_command =
        app.add_subcommand("check", "Report everything wrong with a configuration");
    auto* status_command = app.add_subcommand("status", "Ask the running gateway how it is");
    auto* audit_command = app.add_subcommand(
        "audit", "Print what was done to the gateway, and whether that is whole");
    auto* reload_command = app.add_subcommand(
        "reload", "Let the running gateway read its configuration again, and say what changed");
    auto* version_command = app.add_subcommand("version", "Print the version");
    for (auto* command :
         {run_command, check_command, status_command, audit_command, reload_command})
        command->add_option("--config", config_file, "Main configuration file")
            ->capture_default_str();
    check_command->add_flag("--plan", plan, "Also print what will be read, and what it costs");
    check_command->add_flag("--json", as_json, "Print JSON to stdout");
    for (auto* command : {status_command, reload_command})
        command->add_option("--control", control,
                            "Control socket (default: from the configuration)");
    status_command->add_flag("--json", as_json, "Print JSON");
    audit_command->add_flag("--json", as_json, "Print JSON");
    audit_command->add_option("--since", since, "Print rows from this number on");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? 0 : static_cast<int>(Exit::usage);  // --help is no error
    }

    Exit exit = Exit::well;
    if (*run_command) exit = run(config_file);
    if (*check_command) exit = check(config_file, plan, as_json);
    if (*status_command) exit = status(config_file, control, as_json);
    if (*reload_command) exit = reload(config_file, control);
    if (*audit_command) exit = audit(config_file, as_json, since);
    if (*version_command) std::puts("fieldgate " FIELDGATE_VERSION);
    return static_cast<int>(exit);
}

}  // namespace fieldgate
