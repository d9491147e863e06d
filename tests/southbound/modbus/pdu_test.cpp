#include "southbound/modbus/pdu.h"

#include <gtest/gtest.h>

namespace fieldgate::southbound::modbus {
namespace {

const Request three_registers = read_request(17, Table::holding, 0x6B, 3);

Errc code_of(const Result<void>& result) { return result.error().code; }

// The examples of the Application Protocol V1.1b3, 6.1 to 6.4.
TEST(ReadRequest, IsWhatTheSpecificationShows) {
    EXPECT_EQ(read_request(1, Table::coil, 0x13, 0x13).pdu, (Pdu{1, 0, 0x13, 0, 0x13}));
    EXPECT_EQ(read_request(1, Table::coil, 0x13, 0x13).reply_bytes, 5U);
    EXPECT_EQ(read_request(1, Table::discrete, 0xC4, 0x16).pdu, (Pdu{2, 0, 0xC4, 0, 0x16}));
    EXPECT_EQ(read_request(1, Table::discrete, 0xC4, 0x16).reply_bytes, 5U);
    EXPECT_EQ(three_registers.pdu, (Pdu{3, 0, 0x6B, 0, 3}));
    EXPECT_EQ(three_registers.reply_bytes, 8U);
    EXPECT_EQ(three_registers.unit, 17);
    EXPECT_EQ(read_request(1, Table::input, 8, 1).pdu, (Pdu{4, 0, 8, 0, 1}));
}

TEST(ReadRequest, ReachesTheLastAddress) {
    EXPECT_EQ(read_request(1, Table::input, 0xFFFF, 1).pdu, (Pdu{4, 0xFF, 0xFF, 0, 1}));
    EXPECT_EQ(read_request(1, Table::coil, 0, 2000).reply_bytes, 252U);
}

TEST(ReadRequestDeathTest, IsNeverMoreThanTheSpecificationAllows) {
    EXPECT_DEATH(read_request(1, Table::holding, 0, 126), "");
    EXPECT_DEATH(read_request(1, Table::coil, 0, 2001), "");
    EXPECT_DEATH(read_request(1, Table::holding, 0, 0), "");
    EXPECT_DEATH(read_request(1, Table::holding, 0xFFFF, 2), "");
}

// The examples of the Application Protocol V1.1b3, 6.5, 6.6, 6.12 and 6.16.
TEST(WriteRequest, IsWhatTheSpecificationShows) {
    EXPECT_EQ(write_coil_request(1, 0xAC, true).pdu, (Pdu{5, 0, 0xAC, 0xFF, 0}));
    EXPECT_EQ(write_coil_request(1, 0xAC, false).pdu, (Pdu{5, 0, 0xAC, 0, 0}));
    EXPECT_EQ(write_register_request(1, 1, 3).pdu, (Pdu{6, 0, 1, 0, 3}));
    const std::vector<std::uint16_t> words{0x000A, 0x0102};
    EXPECT_EQ(write_registers_request(1, 1, words).pdu,
              (Pdu{16, 0, 1, 0, 2, 4, 0, 0x0A, 0x01, 0x02}));
    // And_Mask 0xF2, Or_Mask 0x25: of 0x12 it makes 0x17.
    const Request mask = mask_register_request(1, 4, 0x0025, 0xFF0D);
    EXPECT_EQ(mask.pdu, (Pdu{22, 0, 4, 0, 0xF2, 0, 0x05}));
    EXPECT_EQ((0x12 & 0xF2) | (0x05 & ~0xF2), 0x17);
}

TEST(WriteRequest, ReachesTheLastAddressWithTheMostRegisters) {
    const std::vector<std::uint16_t> most(write_registers_max, 0xABCD);
    const Request request = write_registers_request(7, 0x10000 - 123, most);
    EXPECT_EQ(request.pdu.size(), 6U + 246U);
    EXPECT_LE(request.pdu.size(), pdu_bytes_max);
}

TEST(WriteRequestDeathTest, IsNeverMoreThanTheSpecificationAllows) {
    const std::vector<std::uint16_t> words(write_registers_max + 1, 0);
    EXPECT_DEATH(write_registers_request(1, 0, words), "");
    EXPECT_DEATH(write_registers_request(1, 0, {}), "");
    EXPECT_DEATH(write_registers_request(1, 0xFFFF, std::span(words).first(2)), "");
}

TEST(CheckReply, PassesTheEchoOfAWriteAndNothingElse) {
    const std::vector<std::uint16_t> words{1, 2, 3};
    const std::vector<Request> writes{
        write_coil_request(17, 0x1234, true), write_register_request(17, 0x1234, 0x5678),
        write_registers_request(17, 0x1234, words), mask_register_request(17, 0x1234, 1, 3)};
    for (const Request& write : writes) {
        EXPECT_TRUE(is_write(write));
        const auto end = write.pdu.begin() + static_cast<std::ptrdiff_t>(write.reply_bytes);
        const Pdu echo(write.pdu.begin(), end);
        EXPECT_TRUE(check_reply(write, 17, echo));
        for (std::size_t i = 0; i < echo.size(); ++i) {
            Pdu wrong = echo;
            wrong[i] ^= 1U;
            EXPECT_EQ(code_of(check_reply(write, 17, wrong)), Errc::bad_data) << i;
            EXPECT_EQ(code_of(check_reply(write, 17, std::span(echo).first(i))), Errc::bad_data);
        }
        Pdu longer = echo;
        longer.push_back(0);
        EXPECT_EQ(code_of(check_reply(write, 17, longer)), Errc::bad_data);
        const Pdu exception{static_cast<std::uint8_t>(write.pdu[0] | 0x80), 4};
        const auto refused = check_reply(write, 17, exception);
        EXPECT_EQ(code_of(refused), Errc::refused);
        EXPECT_EQ(refused.error().detail, 4);
    }
    EXPECT_FALSE(is_write(three_registers));
}

TEST(CheckReply, PassesTheTrueAnswer) {
    const Pdu reply{3, 6, 0x02, 0x2B, 0, 0, 0, 0x64};
    EXPECT_TRUE(check_reply(three_registers, 17, reply));
    EXPECT_EQ(reply_data(reply).size(), 6U);
    EXPECT_EQ(reply_data(reply)[1], 0x2B);
}

TEST(CheckReply, RefusesTheAnswerOfAnotherUnit) {
    const auto result = check_reply(three_registers, 18, Pdu{3, 6, 0, 1, 0, 2, 0, 3});
    ASSERT_FALSE(result);
    EXPECT_EQ(code_of(result), Errc::bad_data);
    EXPECT_EQ(result.error().what, "unit 18 answered instead of 17");
}

TEST(CheckReply, RefusesAnotherFunction) {
    EXPECT_EQ(code_of(check_reply(three_registers, 17, Pdu{4, 6, 0, 1, 0, 2, 0, 3})),
              Errc::bad_data);
    EXPECT_EQ(code_of(check_reply(three_registers, 17, Pdu{0x84, 2})), Errc::bad_data);
}

TEST(CheckReply, RefusesEveryOtherLength) {
    for (std::size_t size = 0; size <= pdu_bytes_max; ++size) {
        if (size == 8) continue;
        Pdu reply(size, 6);
        if (size > 0) reply[0] = 3;
        EXPECT_EQ(code_of(check_reply(three_registers, 17, reply)), Errc::bad_data) << size;
    }
}

TEST(CheckReply, RefusesAByteCountThatIsNotItsLength) {
    EXPECT_EQ(code_of(check_reply(three_registers, 17, Pdu{3, 4, 0, 1, 0, 2, 0, 3})),
              Errc::bad_data);
    EXPECT_EQ(code_of(check_reply(three_registers, 17, Pdu{3, 7, 0, 1, 0, 2, 0, 3})),
              Errc::bad_data);
}

// 01 03 is function and address of the request, function and byte count of an answer (6.1).
TEST(CheckReply, TakesTheEchoOfAReadForNoAnswer) {
    for (const Table table : {Table::coil, Table::discrete})
        for (std::uint16_t count = 17; count <= 24; ++count) {
            const Request request = read_request(17, table, 0x0300, count);
            ASSERT_EQ(request.pdu.size(), request.reply_bytes);
            EXPECT_EQ(code_of(check_reply(request, 17, request.pdu)), Errc::bad_data) << count;
            Pdu answer = request.pdu;
            answer[2] ^= 1U;
            EXPECT_TRUE(check_reply(request, 17, answer)) << count;
        }
}

TEST(CheckReply, TellsAnExceptionByItsCode) {
    const auto result = check_reply(three_registers, 17, Pdu{0x83, 2});
    ASSERT_FALSE(result);
    EXPECT_EQ(code_of(result), Errc::refused);
    EXPECT_EQ(result.error().detail, 2);
    EXPECT_EQ(result.error().what, "exception 2: illegal data address");
}

TEST(CheckReply, RefusesAnExceptionOfAnotherLength) {
    EXPECT_EQ(code_of(check_reply(three_registers, 17, Pdu{0x83})), Errc::bad_data);
    EXPECT_EQ(code_of(check_reply(three_registers, 17, Pdu{0x83, 2, 0})), Errc::bad_data);
}

TEST(DeviceAnswered, KnowsAGatewayThatSpeaksForNobody) {
    const auto exception = [](std::uint8_t code) {
        return check_reply(three_registers, 17, Pdu{0x83, code}).error();
    };
    EXPECT_TRUE(device_answered(exception(2)));
    EXPECT_TRUE(device_answered(exception(6)));
    EXPECT_FALSE(device_answered(exception(10)));
    EXPECT_FALSE(device_answered(exception(11)));
    EXPECT_FALSE(device_answered(Error(Errc::timeout, "")));
    EXPECT_FALSE(device_answered(Error(Errc::bad_data, "")));
}

TEST(ProbeOfOtherLength, LiesInsideTheRangeAndLooksDifferent) {
    for (const Table table : {Table::coil, Table::discrete, Table::input, Table::holding}) {
        const bool bits = table == Table::coil || table == Table::discrete;
        for (std::uint16_t count = 1; count <= (bits ? 2000 : 125); ++count) {
            const Request whole = read_request(9, table, 1000, count);
            const auto probe = probe_of_other_length(whole);
            ASSERT_EQ(probe.has_value(), count > (bits ? 8 : 1)) << count;
            if (!probe) continue;
            EXPECT_LT(probe->reply_bytes, whole.reply_bytes);
            EXPECT_EQ(probe->unit, 9);
            EXPECT_EQ(probe->pdu[0], whole.pdu[0]);
            EXPECT_EQ(probe->pdu[1] << 8 | probe->pdu[2], 1000);
            EXPECT_LT(probe->pdu[3] << 8 | probe->pdu[4], count);
        }
    }
}

TEST(ProbeOfOtherLength, IsNoShorterThanTheDeviceAnswers) {
    for (std::uint16_t least = 1; least <= 6; ++least) {
        for (std::uint16_t count = least; count <= 125; ++count) {
            Request whole = read_request(9, Table::holding, 1000, count);
            whole.at_least = least;
            const auto probe = probe_of_other_length(whole);
            ASSERT_EQ(probe.has_value(), count > least) << count << " of at least " << least;
            if (!probe) continue;
            EXPECT_GE(probe->pdu[4], least);
            EXPECT_LT(probe->pdu[4], count);
            EXPECT_EQ(probe->at_least, least);
        }
    }
}

TEST(ProbeOfOtherLength, DoesNotCutAlignedValues) {
    const auto count_for = [](std::uint16_t count) {
        return probe_of_other_length(read_request(1, Table::holding, 0, count))->pdu[4];
    };
    EXPECT_EQ(count_for(125), 60);
    EXPECT_EQ(count_for(10), 4);
    EXPECT_EQ(count_for(8), 4);
    EXPECT_EQ(count_for(4), 2);
    EXPECT_EQ(count_for(3), 2);
}

}  // namespace
}  // namespace fieldgate::southbound::modbus
