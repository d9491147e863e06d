#include "base/expect.h"

#include <cstdio>
#include <cstdlib>

namespace fieldgate {

void expectation_failed(const char* what, std::source_location where) {
    // Not through log: whatever is broken may be anywhere.
    std::fprintf(stderr, "<2>bug: expected %s at=%s:%u function=%s\n", what, where.file_name(),
                 where.line(), where.function_name());
    std::abort();
}

}  // namespace fieldgate
