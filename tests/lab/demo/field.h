#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "tests/lab/demo/truth.h"
#include "tests/lab/process.h"

namespace fieldgate::lab {

/// The plant as a process: three meters on a serial line, one press on TCP.
class Field {
public:
    /// Starts fieldgate-plant in `folder`; waits until it serves.
    static Result<Field> start(const std::string& program, const std::filesystem::path& folder);

    const std::string& serial() const { return serial_; }
    std::uint16_t tcp_port() const { return tcp_port_; }
    /// The plant changes its values no more often.
    static constexpr std::chrono::milliseconds tick{1000};
    bool running() { return child_.running(); }
    void stop() { child_.stop(); }
    /// What it has held so far, by the platform's device ids.
    Truth truth() const;

private:
    explicit Field(Child child) : child_(std::move(child)) {}

    Child child_;
    std::string serial_;
    std::uint16_t tcp_port_ = 0;
    std::filesystem::path truth_file_;
};

}  // namespace fieldgate::lab
