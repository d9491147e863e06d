#include "southbound/modbus/rtu_frame.h"

#include <gtest/gtest.h>

#include <random>

#include "southbound/modbus/pdu.h"

namespace fieldgate::southbound::modbus {
namespace {

using Is = RtuLook::Is;
using Bytes = std::vector<std::uint8_t>;

// By the book: shift the whole message through x^16 + x^15 + x^2 + 1 (Serial Line V1.02, 6.2.2).
std::uint16_t crc16(const Bytes& bytes) {
    unsigned crc = 0xFFFF;
    for (const std::uint8_t byte : bytes) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            const bool carry = ((crc ^ (byte >> bit)) & 1U) != 0;
            crc >>= 1U;
            if (carry) crc ^= 0xA001U;
        }
    }
    return static_cast<std::uint16_t>(crc);
}

Bytes sealed(Bytes frame) {
    const std::uint16_t crc = crc16(frame);
    frame.push_back(static_cast<std::uint8_t>(crc & 0xFFU));
    frame.push_back(static_cast<std::uint8_t>(crc >> 8U));
    return frame;
}
Bytes operator+(Bytes one, const Bytes& other) {
    one.insert(one.end(), other.begin(), other.end());
    return one;
}
// What was sent, as it is on the wire.
Bytes sent(const Request& request) {
    Bytes frame{request.unit};
    return sealed(frame + request.pdu);
}

// Bytes come one by one: nothing is known too early, and no more is asked for than belongs to it.
RtuLook arrive(const Request& request, const Bytes& bytes, bool echoes = false) {
    RtuLook look;
    for (std::size_t have = 0; have <= bytes.size(); ++have) {
        look = look_for_answer(request, echoes, std::span(bytes).first(have));
        if (look.is != Is::incomplete) {
            EXPECT_EQ(have, bytes.size()) << "known before its end";
            return look;
        }
        EXPECT_GE(look.missing, 1U);
        EXPECT_LE(have + look.missing, std::max(bytes.size(), have + 1));
    }
    return look;
}

const Request read_two = read_request(1, Table::holding, 10, 2);
const Bytes two = sealed({1, 3, 4, 0, 10, 0, 11});
const Bytes exception = sealed({1, 0x83, 2});

TEST(RtuFrame, HasTheChecksumOfTheSpecification) {
    EXPECT_EQ(sealed({1, 3, 2, 0, 10}), (Bytes{1, 3, 2, 0, 10, 0x38, 0x43}));  // of a field report
    EXPECT_EQ(look_for_answer(read_request(1, Table::holding, 0, 1), false,
                              Bytes{0, 1, 3, 2, 0, 10, 0x38, 0x43})
                  .is,
              Is::answer);
}

TEST(RtuFrame, IsFoundAtOnceAndBehindStrayBytes) {
    for (const Bytes& stray : {Bytes{}, Bytes{0}, Bytes{0xFF}, Bytes{0, 0xFF, 0, 0}}) {
        for (const Bytes& frame : {two, exception}) {
            const RtuLook look = arrive(read_two, stray + frame);
            EXPECT_EQ(look.is, Is::answer);
            EXPECT_EQ(look.first, stray.size());
            EXPECT_EQ(look.bytes, frame.size() - 2);
            EXPECT_FALSE(look.echoed);
        }
    }
}

TEST(RtuFrame, IsFoundBehindTheEchoOfTheRequest) {
    for (const Bytes& stray : {Bytes{}, Bytes{0}}) {
        const RtuLook look = arrive(read_two, sent(read_two) + stray + two);
        EXPECT_EQ(look.is, Is::answer);
        EXPECT_TRUE(look.echoed);
        EXPECT_EQ(look.first, sent(read_two).size() + stray.size());
    }
    const RtuLook alone = look_for_answer(read_two, true, sent(read_two));
    EXPECT_EQ(alone.is, Is::incomplete);
    EXPECT_TRUE(alone.echoed);
}

TEST(RtuFrame, OfAWriteIsTheSecondWhereTheAdapterEchoes) {
    const Request write = write_register_request(1, 10, 77);
    EXPECT_EQ(look_for_answer(write, false, sent(write)).is, Is::answer);
    EXPECT_EQ(look_for_answer(write, true, sent(write)).is, Is::incomplete);
    EXPECT_EQ(arrive(write, sent(write) + sent(write), true).is, Is::answer);
    EXPECT_EQ(arrive(write, sent(write) + sealed({1, 0x86, 4}), true).is, Is::answer);
    const std::array<std::uint16_t, 2> words{1, 2};
    const Request many = write_registers_request(1, 10, words);
    const RtuLook look = arrive(many, sent(many) + sealed({1, 16, 0, 10, 0, 2}));
    EXPECT_EQ(look.is, Is::answer) << "these are not alike";
    EXPECT_TRUE(look.echoed);
}

TEST(RtuFrame, SaysWhatIsUntrue) {
    EXPECT_EQ(arrive(read_two, sealed({1, 3, 0})).is, Is::untrue);
    EXPECT_EQ(arrive(read_two, sealed({1, 3, 2, 0, 10})).is, Is::untrue);
    EXPECT_EQ(arrive(read_two, sealed({1, 4, 4, 0, 10, 0, 11})).is, Is::untrue);
    Bytes broken = two;
    broken[4] ^= 1U;
    EXPECT_EQ(look_for_answer(read_two, false, broken).is, Is::garbage);
    EXPECT_EQ(look_for_answer(read_two, false, sealed({2, 3, 4, 0, 10, 0, 11})).is, Is::garbage);
    EXPECT_EQ(look_for_answer(read_two, false, Bytes{0x5A} + two).is, Is::garbage)
        << "that is no stray byte";
    EXPECT_EQ(look_for_answer(read_two, false, Bytes(40, 0)).is, Is::garbage);
}

// Whatever comes: it is an answer only if a sealed one of the unit stands there, and it ends.
TEST(RtuFrame, TakesNoNoiseForAnAnswer) {
    std::mt19937 random(34);
    for (int round = 0; round < 200'000; ++round) {
        Bytes bytes = round % 3 == 0 ? sent(read_two) : round % 3 == 1 ? two : Bytes{};
        for (auto i = random() % 24; i > 0; --i)
            bytes.push_back(static_cast<std::uint8_t>(random() % 3 == 0 ? random() : random() % 5));
        for (auto i = random() % 3; i > 0 && !bytes.empty(); --i)
            bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
        const RtuLook look = look_for_answer(read_two, random() % 2 == 0, bytes);
        if (look.is != Is::answer && look.is != Is::untrue) continue;
        ASSERT_LE(look.first + look.bytes + 2, bytes.size());
        const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(look.first);
        const Bytes frame(at, at + static_cast<std::ptrdiff_t>(look.bytes));
        const Bytes whole(at, at + static_cast<std::ptrdiff_t>(look.bytes) + 2);
        ASSERT_EQ(whole, sealed(frame));
        ASSERT_EQ(frame[0], 1);
    }
}

}  // namespace
}  // namespace fieldgate::southbound::modbus
