// What was learned of a device is told its plan again, as long as it may still be true.
#include "daemon/site/lesson_book.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "storage/control_store.h"
#include "tests/daemon/config/site.h"
#include "tests/daemon/site/make.h"
#include "tests/storage/loop.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

constexpr const char* refuses_12 =
    R"({"refused":[{"table":"holding","first":12,"last":12,"exception":2,"times":1}],)"
    R"("longest":[],"edges":[]})";

class LessonBookTest : public testing::Test {
protected:
    LessonBookTest() {
        log::set_level(log::Level::error);
        files_.write("fieldgate.yaml",
                     "schema: 1\nplatform:\n  endpoint: mqtt://127.0.0.1:1\n  device_id: gw\n"
                     "  auth: { secret: cred:gateway }\nstore: { path: store }\n");
        std::filesystem::remove_all(files_.path("templates"));
        std::filesystem::remove_all(files_.path("models"));
        files_.write("templates/a.yaml",
                     "template: a\nproduct_id: p\nprotocol: modbus\nservices:\n  S:\n"
                     "    x: { at: \"holding:10\", type: u16 }\n"
                     "    y: { at: \"holding:12\", type: u16 }\n");
        // Nobody listens there: what is known is what was told.
        files_.write("conf.d/10-site.yaml",
                     "buses:\n  plc: { protocol: modbus-tcp, tcp: \"127.0.0.1:1\" }\ndevices:\n"
                     "  - { name: d1, unit: 1, bus: plc, template: a, node_id: N1 }\n");
        const LoadedConfig loaded = files_.load();
        if (!loaded.ok()) ADD_FAILURE() << test::all(loaded.problems);
        site_ = test::make(*loaded.config);
        plant_.add(*site_, 0);
        store_.open();
        loop_.run(store_.opened());
        clock_.prove(Instant::clock::now(), proven_);
    }
    ~LessonBookTest() override {
        loop_.run(store_.close());
        log::set_level(log::Level::info);
    }

    storage::Learned& learned() { return store_.learned(); }
    southbound::Bus& bus() { return plant_.find("plc")->bus(); }
    std::string layout(std::uint8_t unit = 1, const std::string& wire = "127.0.0.1:1") const {
        const auto& registers = *site_->config.templates[0].registers;
        return southbound::modbus::layout_digest(unit, registers) + ' ' + wire;
    }
    storage::LearnedRow row(std::chrono::milliseconds age) const {
        return {"device " + site_->config.devices[0].device_id, layout(), refuses_12,
                (proven_ - age).time_since_epoch().count()};
    }
    void keep(std::vector<storage::LearnedRow> rows) {
        ASSERT_TRUE(loop_.run(learned().keep(std::move(rows), {})));
    }
    /// What the plan of the device knows after it was told what is kept.
    southbound::modbus::Lessons taught() {
        book_.teach(bus());
        loop_.run(one_turn(bus()));
        return bus().status().devices.at(0).learned;
    }
    static asio::awaitable<void> one_turn(southbound::Bus& bus) { (void)co_await bus.next(); }

    storage::Loop loop_;
    const Utc proven_{1'800'000'000s};
    test::Site files_;
    storage::TempFolder folder_;
    SitePtr site_;
    Plant plant_{loop_.loop.get_executor()};
    storage::ControlStore store_{loop_.loop.get_executor(), folder_.path(), 5ms};
    EventClock clock_{Utc(1'700'000'000s)};
    LessonBook book_{loop_.loop.get_executor(), store_.learned(), clock_, plant_, site_};
};

TEST_F(LessonBookTest, TellsWhatWasTrueWithinADay) {
    keep({row(23h)});
    EXPECT_EQ(taught().refused.size(), 1U);
}

TEST_F(LessonBookTest, DoesNotBelieveWhatIsOlder) {
    keep({row(25h)});
    EXPECT_TRUE(taught().empty());
    loop_.run(book_.keep_last());
    EXPECT_TRUE(learned().all().empty()) << "and it is forgotten";
}

TEST_F(LessonBookTest, BelievesWhatHasNoTime) {
    storage::LearnedRow without_time = row(0h);
    without_time.at_ms = 0;
    keep({without_time});
    EXPECT_EQ(taught().refused.size(), 1U);
    loop_.run(book_.keep_last());
    EXPECT_EQ(learned().all().begin()->second.at_ms / 60'000,
              proven_.time_since_epoch().count() / 60'000)
        << "it is true now";
}

TEST_F(LessonBookTest, DoesNotTakeThoseOfAnotherMap) {
    storage::LearnedRow other = row(1h);
    other.version = layout(2);
    keep({other});
    EXPECT_TRUE(taught().empty());
    loop_.run(book_.keep_last());
    EXPECT_TRUE(learned().all().empty()) << "and they are forgotten";
}

// The node ids of two devices were swapped, or one was moved: what answers there is not what has
// refused.
TEST_F(LessonBookTest, DoesNotTakeThoseOfAnotherWire) {
    storage::LearnedRow other = row(1h);
    other.version = layout(1, "127.0.0.1:2");
    keep({other});
    EXPECT_TRUE(taught().empty());
}

TEST_F(LessonBookTest, DoesNotTakeADamagedRow) {
    storage::LearnedRow damaged = row(1h);
    damaged.text.clear();
    keep({damaged});
    EXPECT_TRUE(taught().empty());
}

TEST_F(LessonBookTest, ConfirmsOnceAnHourWhatIsStillTrue) {
    keep({row(30min)});
    ASSERT_EQ(taught().refused.size(), 1U);
    const std::int64_t before = learned().all().begin()->second.at_ms;
    loop_.run(book_.keep_last());
    EXPECT_EQ(learned().all().begin()->second.at_ms, before);
    keep({row(61min)});
    loop_.run(book_.keep_last());
    EXPECT_GE(learned().all().begin()->second.at_ms, proven_.time_since_epoch().count());
}

TEST_F(LessonBookTest, KeepsForADayWhatWasLearnedOfADeviceThatHasGone) {
    storage::LearnedRow gone = row(1h);
    gone.what = "device of another site";
    storage::LearnedRow long_gone = row(25h);
    long_gone.what = "device of a site of last year";
    keep({gone, long_gone});
    loop_.run(book_.keep_last());
    ASSERT_EQ(learned().all().size(), 1U);
    EXPECT_EQ(learned().all().begin()->first, gone.what);
}

TEST_F(LessonBookTest, DoesNotWaitForAStoreThatIsLate) {
    storage::ControlStore late(loop_.loop.get_executor(), folder_.path(), 5ms);  // never opened
    LessonBook book(loop_.loop.get_executor(), late.learned(), clock_, plant_, site_);
    const Instant began = Instant::clock::now();
    loop_.run(book.opened(began + 50ms));
    EXPECT_GE(Instant::clock::now() - began, 50ms);
    loop_.run(book_.opened(Instant::max()));
}

}  // namespace
}  // namespace fieldgate
