#include "daemon/gate/own_command.h"

#include <gtest/gtest.h>

#include "daemon/config/model_files.h"
#include "daemon/site/directory.h"
#include "tests/daemon/config/site.h"
#include "tests/daemon/site/make.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

using Kind = OwnCommand::Kind;

class OwnCommandTest : public testing::Test {
protected:
    Result<OwnCommand> parse(const char* name, const char* paras) const {
        northbound::CallCommand call;
        call.service_id = "Gateway";
        call.command = name;
        call.paras = *json::parse(paras)->object();
        return parse_own(call, *made_);
    }
    std::string why(const char* name, const char* paras) const {
        const Result<OwnCommand> parsed = parse(name, paras);
        return parsed ? "" : parsed.error().what;
    }

    test::Site site_;
    SitePtr made_ = test::make(*site_.load().config);
    const Config& config_ = made_->config;
};

TEST_F(OwnCommandTest, UnderstandsBusesDevicesAndTimes) {
    const auto suspend = parse("SUSPEND_BUS", R"({"bus":"line1","minutes":30})");
    ASSERT_TRUE(suspend) << suspend.error().what;
    EXPECT_EQ(suspend->kind, Kind::suspend_bus);
    EXPECT_EQ(config_.buses[suspend->bus].name, "line1");
    EXPECT_EQ(suspend->lasts, 30min);

    const auto period =
        parse("SET_PERIOD", R"({"device":"press","milliseconds":250,"minutes":5,"bus":null})");
    ASSERT_TRUE(period) << period.error().what;
    EXPECT_EQ(period->period, 250ms);
    EXPECT_EQ(made_->directory.config_of(*period->device)->name, "press");
    EXPECT_EQ(config_.buses[period->bus].name, "plc7");

    const auto point =
        parse("READ_POINT", R"({"device":"press","service":"Electrical","property":"voltage"})");
    ASSERT_TRUE(point) << point.error().what;
    EXPECT_TRUE(point->only_reads());
}

TEST_F(OwnCommandTest, SaysWhatIsWrong) {
    const std::vector<std::array<const char*, 3>> wrong{
        {"SUSPEND_BUS", R"({"minutes":1})", "bus is missing"},
        {"SUSPEND_BUS", R"({"bus":"line9","minutes":1})", "bus is unknown: \"line9\""},
        {"SUSPEND_BUS", R"({"bus":"line1","minutes":0})", "minutes is outside of 1 to 1440"},
        {"SUSPEND_BUS", R"({"bus":"line1","minutes":"1"})", "minutes is no whole number"},
        {"READ_REGISTERS", R"({"bus":"plc7","unit":1,"table":"coils","first":0,"count":1})",
         "table is unknown: \"coils\""},
        {"READ_REGISTERS", R"({"bus":"plc7","unit":248,"table":"coil","first":0,"count":1})",
         "unit is outside of 0 to 247"},
        {"READ_POINT", R"({"device":"press","service":"Electrical","property":"colour"})",
         "property is unknown: \"colour\""},
        {"SET_LOG_LEVEL", R"({"level":"loud","minutes":1})", "level is unknown: \"loud\""}};
    for (const auto& [name, paras, says] : wrong) EXPECT_EQ(why(name, paras), says) << name;
}

TEST_F(OwnCommandTest, NeedsThePowerThatTheFileGrants) {
    RemoteSettings none;
    RemoteSettings operate;
    operate.operate = true;
    EXPECT_TRUE(has_power(none, *power_for("GET_STATUS")));
    EXPECT_FALSE(has_power(none, *power_for("SCAN_NOW")));
    EXPECT_TRUE(has_power(operate, *power_for("SCAN_NOW")));
    EXPECT_FALSE(has_power(operate, *power_for("RESTART")));
    EXPECT_EQ(power_for("FORMAT_DISK"), std::nullopt);
}

// A value that the model allows, and this site understands.
std::string sample(const FieldModel& para) {
    if (para.type == DataType::integer) return to_string(Value(*para.min));
    if (!para.enum_list.empty()) return '"' + para.enum_list.front() + '"';
    if (para.name == "bus") return R"("plc7")";
    if (para.name == "device") return R"("press")";
    return para.name == "service" ? R"("Electrical")" : R"("voltage")";
}

TEST_F(OwnCommandTest, AreThoseOfTheShippedModelWithItsParameters) {
    const auto files = config::read_product_model(site_.path("models/Gateway"), config::Disk(true));
    ASSERT_TRUE(files) << files.error().what;
    const ServiceModel* service = files->model.service("Gateway");
    ASSERT_NE(service, nullptr);
    EXPECT_EQ(service->commands.size(), 11u);
    for (const CommandModel& command : service->commands) {
        EXPECT_TRUE(power_for(command.name)) << command.name;
        std::string paras = "{";
        for (const FieldModel& para : command.paras) {
            if (paras.size() > 1) paras += ',';
            paras += '"' + para.name + "\":" + sample(para);
        }
        paras += '}';
        EXPECT_EQ(why(command.name.c_str(), paras.c_str()), "") << command.name << paras;
    }
}

}  // namespace
}  // namespace fieldgate
