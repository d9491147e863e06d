#include "daemon/gate/orders.h"

#include <gtest/gtest.h>

#include "tests/storage/loop.h"

namespace fieldgate {
namespace {

Order named(const std::string& id, bool acts) {
    Order order;
    order.id = id;
    if (acts) order.writes.push_back({0, Value(true)});
    return order;
}

bool push(Orders& orders, const std::string& id, bool acts) {
    Order order = named(id, acts);
    return orders.push(order);
}

TEST(Orders, ThatActGoBeforeThoseThatAsk) {
    storage::Loop loop;
    Orders orders(loop.loop.get_executor());
    for (const char* id : {"r1", "r2"}) EXPECT_TRUE(push(orders, id, false));
    for (const char* id : {"w1", "w2"}) EXPECT_TRUE(push(orders, id, true));
    std::string order;
    for (int i = 0; i < 4; ++i) order += loop.run(orders.next())->id;
    EXPECT_EQ(order, "w1w2r1r2");
}

TEST(Orders, ThatAskLeaveRoomForThoseThatAct) {
    storage::Loop loop;
    Orders orders(loop.loop.get_executor());
    std::size_t reads = 0;
    std::size_t acts = 0;
    while (push(orders, "r", false)) ++reads;
    while (push(orders, "w", true)) ++acts;
    EXPECT_EQ(reads, Orders::reads_max);
    EXPECT_EQ(reads + acts, Orders::waiting_max);
}

}  // namespace
}  // namespace fieldgate
