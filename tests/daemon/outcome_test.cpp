#include "daemon/outcome.h"

#include <gtest/gtest.h>

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;

// "Busy" asks for the same again, later; a disk that fails does not get better by asking.
TEST(Outcome, IsBusyWhileTheLedgerIsNotOpenAndNotNotedWhenItsDiskFails) {
    Order order;
    order.request.ask = northbound::SetProperties{};
    EXPECT_EQ(outcome_not_noted(order, Error(Errc::busy, "not open yet")).code, codes::busy);
    for (const Errc failed : {Errc::io, Errc::out_of_range, Errc::bad_data})
        EXPECT_EQ(outcome_not_noted(order, Error(failed, "disk")).code, codes::not_noted);
}

}  // namespace
}  // namespace fieldgate
