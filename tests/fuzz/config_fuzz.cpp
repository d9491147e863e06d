// Any text as a main file with its buses and devices, and as a template: read or refused, and each
// problem has a place in the text, can be described and printed as JSON.
#include <cstdint>
#include <string>

#include "base/expect.h"
#include "base/json.h"
#include "daemon/config/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fieldgate;
    const auto problems =
        config::check_text(std::string(reinterpret_cast<const char*>(data), size));
    for (const Problem& problem : problems) {
        expect(problem.line >= 1 && problem.column >= 1, "a place for every problem");
        expect(!problem.what.empty() && !problem.hint.empty(), "a reason and a hint");
        expect(describe(problem).find('\x1B') == std::string::npos, "no control characters");
    }
    std::string out = "{";
    append_problems_json(out, problems);
    out += '}';
    json::Limits wide;
    wide.bytes = out.size();
    expect(json::parse(out, wide).has_value(), "problems in JSON");
    return 0;
}
