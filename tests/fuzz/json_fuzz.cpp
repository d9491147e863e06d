// Any bytes: parsed or refused, and what is parsed can be written and parsed again.
#include <cstdint>

#include "base/expect.h"
#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fieldgate;
    const auto value = json::parse(std::string_view(reinterpret_cast<const char*>(data), size));
    if (!value) return 0;
    std::string out;
    json::append_value(out, *value);
    json::Limits wide;
    wide.bytes = out.size();  // escapes and numbers may be longer than they were
    expect(json::parse(out, wide).has_value(), "written JSON to be JSON");
    return 0;
}
