#include "daemon/site/directory.h"

#include <gtest/gtest.h>

#include "tests/daemon/config/site.h"
#include "tests/daemon/site/make.h"

namespace fieldgate {
namespace {

TEST(Directory, KnowsDevicesByIdAndByIndexAndTheGatewayByNoId) {
    const test::Site files;
    const SitePtr site = test::make(*files.load().config);
    const Directory& directory = site->directory;
    for (std::size_t i = 0; i < site->config.devices.size(); ++i) {
        const DeviceConfig& device = site->config.devices[i];
        const std::optional<DeviceIndex> index = directory.device(device.device_id);
        ASSERT_TRUE(index) << device.device_id;
        EXPECT_NE(*index, DeviceTable::gateway);
        EXPECT_EQ(directory.at(i), directory.ref(*index));
        EXPECT_EQ(directory.position(*index), i);
        EXPECT_EQ(directory.config_of(*index), &device);
        EXPECT_EQ(&directory.template_of(*index), &site->config.templates[device.device_template]);
    }
    EXPECT_EQ(directory.device(""), DeviceTable::gateway);
    EXPECT_EQ(directory.config_of(DeviceTable::gateway), nullptr);
    EXPECT_EQ(directory.template_of(DeviceTable::gateway).protocol, Template::Protocol::self);
    EXPECT_EQ(directory.device("nobody"), std::nullopt);
    EXPECT_EQ(directory.position(1000), std::nullopt);
}

TEST(DeviceTable, KeepsAnIndexForLifeAndHasRoomForSoManyOnly) {
    DeviceTable table;
    EXPECT_EQ(table[DeviceTable::gateway], "");
    EXPECT_EQ(table.intern("a"), 1U);
    EXPECT_EQ(table.intern("b"), 2U);
    EXPECT_EQ(table.intern("a"), 1U);
    for (std::size_t i = table.size(); i <= DeviceTable::devices_max; ++i)
        ASSERT_TRUE(table.intern(std::to_string(i)));
    EXPECT_FALSE(table.intern("one more"));
    EXPECT_EQ(table.intern("b"), 2U);
    EXPECT_EQ(table[2], "b");
}

}  // namespace
}  // namespace fieldgate
