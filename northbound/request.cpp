#include "northbound/request.h"

namespace fieldgate::northbound {

Answer refusal(const Request& request, int code, std::string_view why) {
    expect(code != result_code::success, "a refusal not to look like success");
    if (std::holds_alternative<SetProperties>(request.ask))
        return SetAnswer{code, std::string(why)};
    if (std::holds_alternative<GetProperties>(request.ask)) return GetAnswer();
    return CallAnswer{code, {}, {}, std::string(why)};
}

}  // namespace fieldgate::northbound
