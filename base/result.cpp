#include "base/result.h"

namespace fieldgate {

const char* to_string(Errc code) {
    switch (code) {
        case Errc::timeout:
            return "timeout";
        case Errc::closed:
            return "closed";
        case Errc::refused:
            return "refused";
        case Errc::bad_data:
            return "bad_data";
        case Errc::out_of_range:
            return "out_of_range";
        case Errc::unsupported:
            return "unsupported";
        case Errc::busy:
            return "busy";
        case Errc::io:
            return "io";
    }
    return "?";
}

}  // namespace fieldgate
