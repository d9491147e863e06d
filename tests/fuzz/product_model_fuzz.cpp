// Any bytes, on each of the three ways in: a model or a reason. What a model lets pass is JSON.
#include <array>
#include <cstdint>
#include <limits>

#include "base/expect.h"
#include "base/json.h"
#include "model/mapping.h"
#include "model/product_model.h"

namespace {

using namespace fieldgate;

const std::string device_type =
    R"({"devices":[{"manufacturerId":"m","deviceType":"t","serviceTypeCapabilities":[
    {"serviceId":"s","serviceType":"Electrical"}]}]})";
const std::string service_type = R"({"services":[{"serviceType":"Electrical"}]})";

void check(const Result<ProductModel>& model, std::string_view text) {
    if (!model) {
        expect(!model.error().what.empty(), "a reason");
        return;
    }
    const std::array<Value, 8> values{true,
                                      std::numeric_limits<std::int64_t>::min(),
                                      std::numeric_limits<std::uint64_t>::max(),
                                      Decimal{2314, 1},
                                      233.1F,
                                      1e-30,
                                      std::numeric_limits<double>::quiet_NaN(),
                                      std::string(text.substr(0, 64))};
    for (const ServiceModel& service : model->services) {
        for (const PropertyModel& property : service.properties) {
            expect(service.property(property.name) == &property, "one property of a name");
            for (const Value& value : values) {
                std::string out;
                const bool fits = append_fitted(out, value, &property);
                expect(fits == !out.empty(), "a value that fits, or nothing");
                expect(!fits || json::parse(out).has_value(), "JSON");
            }
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    check(product_model_from_api(text), text);
    check(product_model_from_export(text, {service_type}), text);
    check(product_model_from_export(device_type, {text}), text);
    return 0;
}
