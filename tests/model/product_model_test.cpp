#include "model/product_model.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fieldgate {
namespace {

const std::string device_type = R"({"devices":[{"manufacturerId":"acme","manufacturerName":"Acme",
"model":"PM1","protocolType":"MQTT","deviceType":"PowerMeter","serviceTypeCapabilities":[
{"serviceId":"Electrical","serviceType":"Electrical","option":"Mandatory"}]}]})";

// As the console exports it: limits as text, step as a number, absent members as null.
const std::string electrical = R"({"services":[{"serviceType":"Electrical",
"description":"three-phase meter","commands":[
 {"commandName":"SET_BREAKER","paras":[{"paraName":"value","dataType":"string","required":true,"min":null,"max":null,"step":0.0,"maxLength":8,"unit":null,"enumList":["ON","OFF"]}],
  "responses":[{"responseName":"SET_BREAKER_RSP","paras":[{"paraName":"result","dataType":"string","required":false,"min":null,"max":null,"step":0.0,"maxLength":32,"unit":null,"enumList":null}]}]}],
 "properties":[
 {"propertyName":"voltage","dataType":"decimal","required":true,"min":"0","max":"500","step":0.0,"maxLength":0,"method":"R","unit":"V","enumList":null},
 {"propertyName":"current","dataType":"decimal","required":true,"min":"-100","max":"100","step":0.0,"maxLength":0,"method":"R","unit":"A","enumList":null},
 {"propertyName":"power","dataType":"decimal","required":true,"min":"-50000","max":"50000","step":0.0,"maxLength":0,"method":"R","unit":"W","enumList":null},
 {"propertyName":"energy","dataType":"long","required":false,"min":"0","max":"9007199254740991","step":0.0,"maxLength":0,"method":"R","unit":"Wh","enumList":null},
 {"propertyName":"serialNumber","dataType":"string","required":false,"min":null,"max":null,"step":0.0,"maxLength":12,"method":"R","unit":null,"enumList":null},
 {"propertyName":"overload","dataType":"int","required":false,"min":"0","max":"1","step":0.0,"maxLength":0,"method":"R","unit":null,"enumList":null},
 {"propertyName":"tariff","dataType":"enum","required":false,"min":null,"max":null,"step":0.0,"maxLength":0,"method":"R","unit":null,"enumList":["day","night"]},
 {"propertyName":"breaker","dataType":"boolean","required":false,"min":null,"max":null,"step":0.0,"maxLength":0,"method":"RW","unit":null,"enumList":null},
 {"propertyName":"currentLimit","dataType":"decimal","required":false,"min":"1","max":"63","step":0.1,"maxLength":0,"method":"RW","unit":"A","enumList":null}],
 "events":[]}]})";

// The same product as the product API tells it; members absent where the console says null.
const std::string by_api = R"({"app_id":"x","product_id":"64f0a1b2c3d4e5f607182931",
"name":"meter","device_type":"PowerMeter","manufacturer_id":"acme","data_format":"json",
"service_capabilities":[{"service_id":"Electrical","service_type":"Electrical","option":"Mandatory",
 "properties":[
 {"property_name":"voltage","data_type":"Decimal","required":true,"min":"0","max":"500.0","step":0,"method":"R","unit":"V"},
 {"property_name":"current","data_type":"decimal","required":true,"min":-100,"max":100,"method":"R","unit":"A"},
 {"property_name":"power","data_type":"DECIMAL","required":true,"min":"-50000","max":"5e4","method":"r","unit":"W"},
 {"property_name":"energy","data_type":"long","min":"0","max":"9007199254740991","method":"R","unit":"Wh"},
 {"property_name":"serialNumber","data_type":"string","max_length":12,"method":null},
 {"property_name":"overload","data_type":"int","min":0,"max":1},
 {"property_name":"tariff","data_type":"enum","enum_list":["day","night"],"method":"RE"},
 {"property_name":"breaker","data_type":"boolean","method":"RW","default_value":{"a":[1]}},
 {"property_name":"currentLimit","data_type":"decimal","min":"1","max":"63","step":"0.1","method":"RWE","unit":"A"}],
 "commands":[{"command_name":"SET_BREAKER",
  "paras":[{"para_name":"value","data_type":"string","required":true,"max_length":8,"enum_list":["ON","OFF"]}],
  "responses":[{"response_name":"SET_BREAKER_RSP","paras":[{"para_name":"result","data_type":"string","max_length":"32"}]}]}]}]})";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(ProductModelExport, SaysWhatADeviceMaySay) {
    const auto model = product_model_from_export(device_type, {electrical});
    ASSERT_TRUE(model) << model.error().what;

    EXPECT_EQ(model->device_type, "PowerMeter");
    EXPECT_EQ(model->manufacturer_id, "acme");
    ASSERT_EQ(model->services.size(), 1U);
    const ServiceModel* service = model->service("Electrical");
    ASSERT_NE(service, nullptr);
    EXPECT_EQ(service->properties.size(), 9U);

    const PropertyModel* voltage = service->property("voltage");
    ASSERT_NE(voltage, nullptr);
    EXPECT_EQ(voltage->type, DataType::decimal);
    EXPECT_EQ(voltage->min, (Decimal{0, 0}));
    EXPECT_EQ(voltage->max, (Decimal{500, 0}));
    EXPECT_FALSE(voltage->step);
    EXPECT_TRUE(voltage->required);
    EXPECT_EQ(voltage->unit, "V");
    EXPECT_TRUE(voltage->readable);
    EXPECT_FALSE(voltage->writable);

    const PropertyModel* limit = service->property("currentLimit");
    ASSERT_NE(limit, nullptr);
    EXPECT_EQ(limit->step, (Decimal{1, 1}));
    EXPECT_TRUE(limit->writable);
    EXPECT_EQ(service->property("tariff")->enum_list, (std::vector<std::string>{"day", "night"}));
    EXPECT_EQ(service->property("serialNumber")->max_length, 12U);
    EXPECT_EQ(service->property("energy")->max, (Decimal{9007199254740991, 0}));
}

TEST(ProductModelExport, SaysWhatADeviceMayBeTold) {
    const auto model = product_model_from_export(device_type, {electrical});
    ASSERT_TRUE(model);
    const CommandModel* command = model->service("Electrical")->command("SET_BREAKER");
    ASSERT_NE(command, nullptr);
    ASSERT_EQ(command->paras.size(), 1U);
    EXPECT_EQ(command->paras[0].name, "value");
    EXPECT_TRUE(command->paras[0].required);
    EXPECT_EQ(command->paras[0].max_length, 8U);
    ASSERT_EQ(command->responses.size(), 1U);
    EXPECT_EQ(command->responses[0].name, "SET_BREAKER_RSP");
    EXPECT_EQ(command->responses[0].paras[0].name, "result");
}

TEST(ProductModel, KnowsNoStrangers) {
    const auto model = product_model_from_export(device_type, {electrical});
    ASSERT_TRUE(model);
    EXPECT_EQ(model->service("electrical"), nullptr);
    EXPECT_EQ(model->service("Electrical")->property("Voltage"), nullptr);
    EXPECT_EQ(model->service("Electrical")->command("RESET"), nullptr);
}

TEST(ProductModelApi, TellsTheSameProduct) {
    const auto exported = product_model_from_export(device_type, {electrical});
    const auto told = product_model_from_api(by_api);
    ASSERT_TRUE(exported) << exported.error().what;
    ASSERT_TRUE(told) << told.error().what;
    for (std::size_t i = 0; i < exported->services[0].properties.size(); ++i)
        EXPECT_EQ(told->services[0].properties[i], exported->services[0].properties[i])
            << exported->services[0].properties[i].name;
    EXPECT_EQ(*told, *exported);
}

TEST(ProductModel, TakesEitherSpellingOnEitherRoad) {
    std::string snake = electrical;
    for (const auto& [from, to] :
         std::vector<std::pair<std::string, std::string>>{{"serviceType", "service_type"},
                                                          {"propertyName", "property_name"},
                                                          {"dataType", "data_type"},
                                                          {"maxLength", "max_length"},
                                                          {"enumList", "enum_list"},
                                                          {"commandName", "command_name"},
                                                          {"paraName", "para_name"},
                                                          {"responseName", "response_name"}})
        for (std::size_t at = 0; (at = snake.find("\"" + from + "\"", at)) != std::string::npos;)
            snake.replace(at, from.size() + 2, "\"" + to + "\"");
    const auto model = product_model_from_export(device_type, {snake});
    ASSERT_TRUE(model) << model.error().what;
    EXPECT_EQ(*model, *product_model_from_export(device_type, {electrical}));

    const auto camel = product_model_from_api(
        R"({"deviceType":"T","serviceCapabilities":[{"serviceId":"S","properties":[
        {"propertyName":"p","dataType":"int","maxLength":null,"enumList":null}]}]})");
    ASSERT_TRUE(camel) << camel.error().what;
    EXPECT_EQ(camel->service("S")->property("p")->type, DataType::integer);
}

TEST(ProductModelExport, JoinsServicesWithTheirTypes) {
    const std::string two = replaced(device_type, "[\n{\"serviceId\":\"Electrical\"",
                                     "[{\"serviceId\":\"L2\",\"serviceType\":\"Electrical\","
                                     "\"option\":\"\"},\n{\"serviceId\":\"Electrical\"");
    const auto model = product_model_from_export(two, {electrical});
    ASSERT_TRUE(model) << model.error().what;
    ASSERT_EQ(model->services.size(), 2U);
    EXPECT_EQ(model->services[0].id, "L2");
    EXPECT_EQ(model->services[0].properties, model->services[1].properties);
}

// One property, given the rest of its members.
Result<ProductModel> with_property(const std::string& members) {
    return product_model_from_api(
        R"({"service_capabilities":[{"service_id":"S","properties":[{"property_name":"p",)" +
        members + "}]}]}");
}

TEST(ProductModel, ComparesDataTypesWithoutCase) {
    const std::vector<std::pair<std::string, DataType>> spellings{
        {"int", DataType::integer},
        {"INT", DataType::integer},
        {"long", DataType::long_integer},
        {"decimal", DataType::decimal},
        {"String", DataType::string},
        {"DateTime", DataType::date_time},
        {"dateTime", DataType::date_time},
        {"datetime", DataType::date_time},
        {"jsonObject", DataType::json_object},
        {"JsonObject", DataType::json_object},
        {"enum", DataType::enumeration},
        {"boolean", DataType::boolean},
        {"string list", DataType::string_list},
        {"stringList", DataType::string_list},
        {"stringlist", DataType::string_list},
        {"String List", DataType::string_list}};
    for (const auto& [spelling, type] : spellings) {
        const auto model = with_property("\"data_type\":\"" + spelling + "\"");
        ASSERT_TRUE(model) << spelling;
        EXPECT_EQ(model->services[0].properties[0].type, type) << spelling;
    }
    EXPECT_STREQ(to_string(DataType::date_time), "DateTime");
    EXPECT_STREQ(to_string(DataType::string_list), "string list");
}

TEST(ProductModel, ReadsMethods) {
    struct Row {
        const char* method;
        bool readable, writable;
    };
    for (const Row& row :
         {Row{"null", true, false}, Row{"\"R\"", true, false}, Row{"\"W\"", false, true},
          Row{"\"E\"", true, false}, Row{"\"WE\"", true, true}, Row{"\"RWE\"", true, true},
          Row{"\"\"", true, false}}) {
        const auto model =
            with_property(std::string("\"data_type\":\"int\",\"method\":") + row.method);
        ASSERT_TRUE(model) << row.method;
        EXPECT_EQ(model->services[0].properties[0].readable, row.readable) << row.method;
        EXPECT_EQ(model->services[0].properties[0].writable, row.writable) << row.method;
    }
}

TEST(ProductModel, LimitsNumbersOnly) {
    const auto text = with_property(R"("data_type":"string","min":"?","max":true,"step":1)");
    ASSERT_TRUE(text) << text.error().what;
    EXPECT_FALSE(text->services[0].properties[0].step);
    const auto wide = with_property(R"("data_type":"decimal","min":"-3.4E38","max":"3.4E38")");
    ASSERT_TRUE(wide) << wide.error().what;
    EXPECT_FALSE(wide->services[0].properties[0].max);
    const auto none = with_property(R"("data_type":"decimal","min":"","max":null,"step":"0.00")");
    ASSERT_TRUE(none) << none.error().what;
    EXPECT_FALSE(none->services[0].properties[0].min);
    EXPECT_FALSE(none->services[0].properties[0].step);
}

TEST(ProductModel, SaysWhereAPropertyIsWrong) {
    const std::string p = "service_capabilities[0].properties[0].";
    const std::vector<std::pair<std::string, std::string>> wrong{
        {R"("unit":"V")", "dataType: is missing"},
        {R"("dataType":7)", "dataType: is no string"},
        {R"("dataType":"")", "dataType: must not be empty"},
        {R"("dataType":"float")", "dataType: \"float\" is no data type"},
        {R"("dataType":"int","min":"x")", "min: \"x\" is no number of up to 18 digits"},
        {R"("dataType":"int","min":[])", "min: is no number"},
        {R"("dataType":"int","min":"1e99")", "min: \"1e99\" is no number of up to 18 digits"},
        {R"("dataType":"int","max":"-1e99")", "max: \"-1e99\" is no number of up to 18 digits"},
        {R"("dataType":"int","min":5,"max":"4")", "min: is above max"},
        {R"("dataType":"int","step":-1)", "step: is below 0"},
        {R"("dataType":"string","maxLength":-1)", "maxLength: is no length"},
        {R"("dataType":"string","maxLength":1.5)", "maxLength: is no length"},
        {R"("dataType":"string","enumList":"a,b")", "enumList: is no array"},
        {R"("dataType":"string","enumList":["a",1])", "enumList[1]: is no string"},
        {R"("dataType":"int","required":"yes")", "required: is neither true nor false"},
        {R"("dataType":"int","method":"X")", "method: \"X\" is not made of R, W and E"},
        {R"("dataType":"int","method":1)", "method: is no string"}};
    for (const auto& [members, what] : wrong) {
        const auto model = with_property(members);
        ASSERT_FALSE(model) << members;
        EXPECT_EQ(model.error().code, Errc::bad_data);
        // The place is told in camelCase, whatever the document has.
        EXPECT_EQ(model.error().what,
                  replaced(p, "service_capabilities", "serviceCapabilities") + what);
    }
}

TEST(ProductModelExport, SaysWhereItIsWrong) {
    struct Row {
        std::string device, service, what;
    };
    const std::string d = "devicetype-capability.json: ";
    const std::string s = "servicetype-capability.json[0]: ";
    const std::vector<Row> rows{
        {"{}", electrical, d + "devices: is missing or empty"},
        {"[]", electrical, d + "is no object"},
        {R"({"devices":[]})", electrical, d + "devices: is missing or empty"},
        {R"({"devices":[3]})", electrical, d + "devices[0]: is no object"},
        {replaced(device_type, "deviceType", "kind"), electrical,
         d + "devices[0].deviceType: is missing"},
        {replaced(device_type, "\"acme\"", "7"), electrical,
         d + "devices[0].manufacturerId: is no string"},
        {replaced(device_type, "serviceTypeCapabilities", "x"), electrical,
         d + "devices[0].serviceTypeCapabilities: is missing"},
        {replaced(device_type, "serviceType\":\"Electrical", "serviceType\":\"Thermal"), electrical,
         d + "devices[0].serviceTypeCapabilities[0].serviceType: no file for service type "
             "\"Thermal\""},
        {device_type, "{}", s + "services: is missing"},
        {device_type, "null", s + "is no object"},
        {device_type, replaced(electrical, "\"serviceType\"", "\"type\""),
         s + "services[0].serviceType: is missing"},
        {device_type, replaced(electrical, "\"current\"", "\"voltage\""),
         s + "services[0].properties: \"voltage\" stands twice"},
        {device_type, replaced(electrical, "\"current\"", "\"a.b\""),
         s + "services[0].properties[1].propertyName: \"a.b\" must have no '.', '$' or NUL"},
        {device_type, replaced(electrical, "\"long\"", "\"float\""),
         s + "services[0].properties[3].dataType: \"float\" is no data type"},
        {device_type, replaced(electrical, "\"paraName\":\"result\"", "\"name\":\"result\""),
         s + "services[0].commands[0].responses[0].paras[0].paraName: is missing"}};
    for (const Row& row : rows) {
        const auto model = product_model_from_export(row.device, {row.service});
        ASSERT_FALSE(model) << row.what;
        EXPECT_EQ(model.error().code, Errc::bad_data);
        EXPECT_EQ(model.error().what, row.what);
    }
}

TEST(ProductModelExport, NamesTheFileThatIsNoJson) {
    const auto model = product_model_from_export(device_type, {electrical, "{\"services\":"});
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().code, Errc::bad_data);
    EXPECT_EQ(model.error().what.rfind("servicetype-capability.json[1]: ", 0), 0U)
        << model.error().what;
    EXPECT_FALSE(product_model_from_export("", {electrical}));
    EXPECT_FALSE(product_model_from_export(device_type, {}));
    EXPECT_FALSE(product_model_from_export(device_type, {electrical, electrical}));
}

TEST(ProductModel, IsLimited) {
    std::string properties;
    const auto with = [&](int count) {
        properties.clear();
        for (int i = 0; i < count; ++i)
            properties += (i > 0 ? "," : "") + std::string("{\"property_name\":\"p") +
                          std::to_string(i) + "\",\"data_type\":\"int\"}";
        return product_model_from_api(
            "{\"service_capabilities\":[{\"service_id\":\"S\",\"properties\":[" + properties +
            "]}]}");
    };
    EXPECT_TRUE(with(500));
    const auto many = with(501);
    ASSERT_FALSE(many);
    EXPECT_EQ(many.error().what, "serviceCapabilities[0].properties: has more than 500 elements");

    const auto large = product_model_from_api(std::string(1024 * 1024 + 1, ' '));
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().code, Errc::out_of_range);
    const auto deep = product_model_from_api(std::string(33, '['));
    ASSERT_FALSE(deep);
    EXPECT_EQ(deep.error().code, Errc::out_of_range);
}

// Cut anywhere, it is refused or it is whole; no byte makes it abort.
TEST(ProductModel, SurvivesEveryTruncationAndEveryDamagedByte) {
    for (std::size_t n = 0; n < by_api.size(); ++n)
        ASSERT_FALSE(product_model_from_api(by_api.substr(0, n))) << n;
    for (std::size_t n = 0; n < by_api.size(); ++n) {
        std::string damaged = by_api;
        damaged[n] = '\x01';
        const auto model = product_model_from_api(damaged);
        EXPECT_TRUE(model || !model.error().what.empty());
    }
}

}  // namespace
}  // namespace fieldgate
