#include "daemon/local/check.h"

#include <cstdio>

#include "daemon/config.h"
#include "daemon/local/plan_report.h"

namespace fieldgate {
namespace {

SitePlan plan_with_lessons(const Config& config) {
    SitePlan plan = plan_site(config);
    plan.learned = ask_what_was_learned(config);
    return plan;
}

}  // namespace

Exit check(const std::string& config_file, bool with_plan, bool as_json) {
    const LoadedConfig loaded = load_config(config_file);
    const Exit exit = exit_of(loaded);
    if (as_json) {
        std::string text = "{";
        append_problems_json(text, loaded.problems);
        if (with_plan && loaded.ok())
            text += ",\"plan\":" + plan_json(*loaded.config, plan_with_lessons(*loaded.config));
        std::puts((text + "}").c_str());
        return exit;
    }
    print_problems(loaded.problems);
    if (with_plan && loaded.ok())
        std::fputs(plan_text(*loaded.config, plan_with_lessons(*loaded.config)).c_str(), stdout);
    return exit;
}

}  // namespace fieldgate
