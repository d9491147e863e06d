#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "southbound/link.h"
#include "southbound/modbus/pdu.h"
#include "tests/lab/plant/plant.h"

namespace fieldgate::southbound {

/// FIELDGATE_CAMPAIGN=1: the figures of the campaign instead of those of every day.
inline bool campaign() { return std::getenv("FIELDGATE_CAMPAIGN") != nullptr; }

/// Starts `flow`; an exception ends the test program.
inline void start(asio::io_context& loop, asio::awaitable<void> flow) {
    asio::co_spawn(loop, std::move(flow), [](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
    });
}

template <class T>
asio::awaitable<void> keep(asio::awaitable<T> flow, std::optional<T>& result) {
    T value = co_await std::move(flow);
    result.emplace(std::move(value));
}

/// Runs `flow` to its end and returns what it returned.
template <class T>
T run(asio::io_context& loop, asio::awaitable<T> flow) {
    std::optional<T> result;
    loop.restart();
    start(loop, keep(std::move(flow), result));
    while (!result) loop.run_one();
    return std::move(*result);
}

inline std::vector<std::uint16_t> words(const Pdu& reply) {
    const auto data = modbus::reply_data(reply);
    std::vector<std::uint16_t> result;
    for (std::size_t i = 0; i + 1 < data.size(); i += 2)
        result.push_back(static_cast<std::uint16_t>(data[i] << 8U | data[i + 1]));
    return result;
}

/// Every certified block of a reply that starts at a block, checked: whose, where, and made after
/// `before` answers had been given.
inline bool is_true(const Pdu& reply, std::uint8_t unit, std::uint16_t first,
                    std::uint32_t before) {
    const std::vector<std::uint16_t> all = words(reply);
    if (all.empty() || all.size() % lab::certified_block != 0) return false;
    for (std::size_t at = 0; at < all.size(); at += lab::certified_block) {
        const auto block = std::span(all).subspan(at, lab::certified_block);
        std::uint32_t seq = 0;
        const auto address = static_cast<std::uint16_t>(first + at);
        if (!lab::is_certified(block, unit, address, seq) || seq <= before) return false;
    }
    return true;
}

inline std::string line_path(const std::string& name) {
    return testing::TempDir() + "fieldgate-" + std::to_string(::getpid()) + "-" + name;
}

inline SerialSettings fast_line(const std::string& path) {
    SerialSettings line;
    line.path = path;
    line.baud = 1'000'000;
    return line;
}

inline Request holding(std::uint8_t unit, std::uint16_t first, std::uint16_t count) {
    return modbus::read_request(unit, modbus::Table::holding, first, count);
}

}  // namespace fieldgate::southbound
