#include "daemon/gate/outcome.h"

#include <gtest/gtest.h>

#include "northbound/iotda/answers.h"

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;

// "Busy" asks for the same again, later; a disk that fails does not get better by asking.
TEST(Outcome, IsBusyWhileTheLedgerIsNotOpenAndNotNotedWhenItsDiskFails) {
    Order order;
    EXPECT_EQ(outcome_not_noted(order, Error(Errc::busy, "not open yet")).code, codes::busy);
    for (const Errc failed : {Errc::io, Errc::out_of_range, Errc::bad_data})
        EXPECT_EQ(outcome_not_noted(order, Error(failed, "disk")).code, codes::not_noted);
}

/// A command SET_VALVE { value } that writes the property `open`.
struct Command {
    Command() {
        rule.response = "RSP";
        rule.parameter = "value";
        rule.property = "open";
        rule.values = {{"ON", Value(true)}, {"OFF", Value(false)}};
        order.command = &rule;
        order.writes.push_back({0, Value(true)});
    }
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;

    std::string answer(int code, const std::string& text) const {
        return northbound::iotda::encode_answer(outcome_of(order, code, text).answer);
    }
    void echo(const std::string& name, DataType type, bool parameter) {
        FieldModel model;
        model.name = name;
        model.type = type;
        rule.response_echoes.push_back({model, parameter});
    }

    CommandRule rule;
    Order order;
};

TEST(Outcome, OfACommandThatWentWellSaysWhatTheModelNamesAndNothingElse) {
    Command command;
    const auto well = [&] { return command.answer(codes::success, "open: written"); };
    EXPECT_EQ(well(), R"({"result_code":0,"response_name":"RSP"})");
    command.rule.response_has_result = true;
    EXPECT_EQ(well(), R"({"result_code":0,"response_name":"RSP","paras":{"result":"written"}})");
    command.echo("value", DataType::string, true);
    command.echo("open", DataType::boolean, false);
    EXPECT_EQ(well(), R"({"result_code":0,"response_name":"RSP",)"
                      R"("paras":{"result":"written","value":"ON","open":true}})");
}

TEST(Outcome, OfACommandThatDidNotHasAReason) {
    Command command;
    command.echo("value", DataType::string, true);
    EXPECT_EQ(command.answer(codes::device_refused, "no \"way\""),
              R"({"result_code":6,"response_name":"RSP","paras":{"reason":"no \"way\""}})");
    command.rule.response_has_result = true;
    EXPECT_EQ(command.answer(codes::unknown, "?"), R"({"result_code":8,"response_name":"RSP",)"
                                                   R"("paras":{"result":"unknown","reason":"?"}})");
}

TEST(Outcome, OfACopyIsTheSameToTheByte) {
    Command command;
    command.rule.response_has_result = true;
    command.echo("open", DataType::boolean, false);
    Order set;
    set.writes.push_back({0, Value(true)});
    for (const Order* order : {&command.order, &set})
        for (const int code : {codes::success, codes::mismatch}) {
            const Outcome first = outcome_of(*order, code, "open: written");
            const storage::LedgerEntry kept{storage::LedgerEntry::State::finished,
                                            encode_outcome(first)};
            const std::string told = northbound::iotda::encode_answer(first.answer);
            EXPECT_EQ(northbound::iotda::encode_answer(outcome_of_copy(*order, kept).answer), told);
            EXPECT_EQ(northbound::iotda::encode_answer(*decode_answer(kept.answer)), told);
        }
}

TEST(Outcome, OfACommandInANoteOfAnOlderVersionIsAnsweredAsACommand) {
    const Command command;
    const storage::LedgerEntry kept{storage::LedgerEntry::State::finished,
                                    R"({"code":0,"text":"open: written"})"};
    EXPECT_EQ(northbound::iotda::encode_answer(outcome_of_copy(command.order, kept).answer),
              R"({"result_code":0,"response_name":"RSP"})");
}

}  // namespace
}  // namespace fieldgate
