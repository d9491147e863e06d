#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/lab/plant/fault.h"
#include "tests/lab/plant/paced_pty.h"
#include "tests/lab/plant/slave.h"
#include "tests/lab/plant/values.h"

namespace fieldgate::lab {

/// The field: any number of Modbus TCP ports and serial lines with slaves on them, on a thread of
/// its own. All calls from any thread; they return when it is done.
class Plant {
public:
    using MakeValues = std::function<std::unique_ptr<Values>()>;

    struct Site {
        std::string name;
        std::vector<std::uint8_t> units;
        MakeValues values = certified_values;
        SlaveLimits limits;
    };
    struct Truth {
        std::uint8_t unit = 0;
        std::vector<TrueValue> values;
    };
    struct Arrival {
        std::uint8_t unit = 0;
        std::chrono::steady_clock::time_point at;  ///< When the plant saw the whole request.
    };

    Plant();
    ~Plant();
    Plant(const Plant&) = delete;
    Plant& operator=(const Plant&) = delete;

    /// A TCP port with these units; returns the port.
    std::uint16_t add_tcp(Site site, std::uint16_t port = 0);
    /// A serial line with these units, at `link`.
    void add_rtu(Site site, std::string link, LineOptions options = {});

    /// For the answers of `unit`; 0: of all units of the site, those without a slave too.
    void set_fault(const std::string& site, std::uint8_t unit, Fault fault);
    /// How many answers the faults of `unit` have spoiled.
    std::uint64_t strikes(const std::string& site, std::uint8_t unit);
    /// Serial: the plug. TCP: stops and listens again on its port.
    void unplug(const std::string& site);
    void plug(const std::string& site);
    /// TCP: closes the connections.
    void drop_connections(const std::string& site);

    std::uint64_t requests(const std::string& site, std::uint8_t unit);
    /// From now on arrivals() are kept.
    void watch(const std::string& site);
    /// The requests since then, to units with a slave or without, as they came.
    std::vector<Arrival> arrivals(const std::string& site);
    /// The writes that `unit` has seen, whatever became of the answers.
    std::vector<WriteSeen> writes(const std::string& site, std::uint8_t unit);
    std::uint16_t holding(const std::string& site, std::uint8_t unit, std::uint16_t address);
    void set_holding(const std::string& site, std::uint8_t unit, std::uint16_t address,
                     std::uint16_t word);
    bool coil(const std::string& site, std::uint8_t unit, std::uint16_t address);
    std::uint64_t connections_accepted(const std::string& site);
    std::uint64_t silence_violations(const std::string& site);
    /// The longest time since the last call that the machine kept the plant from running: so much
    /// later than they were to may answers have come. Measured from the first call on.
    std::chrono::nanoseconds longest_stall();
    std::vector<Truth> truth(const std::string& site);

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace fieldgate::lab
