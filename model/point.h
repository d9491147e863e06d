#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/product_model.h"
#include "model/value.h"

namespace fieldgate {

/// When a reading is worth sending. `change` compares with the last value *sent*.
struct ReportRule {
    enum class Change : std::uint8_t { every_reading, any, absolute, percent };
    Change change = Change::every_reading;
    Decimal amount;  ///< For absolute (units) and percent (of the last value sent).
    std::chrono::milliseconds min{0};  ///< Not more often than this.
    std::chrono::milliseconds max{
        0};  ///< At least this often, if it is read that often; 0: never by age.
    bool operator==(const ReportRule&) const = default;
};

enum class Priority : std::uint8_t { normal, alarm };

/// What may be written to a point; a point without it is read-only.
struct WriteRule {
    std::optional<Decimal> min;
    std::optional<Decimal> max;
    bool readback = false;                   ///< verify: readback
    std::chrono::milliseconds within{2000};  ///< how long the read-back may differ
    std::optional<Decimal> tolerance;
    bool mask = false;  ///< bits are written with FC 22
    /// Who may write: the platform (sets, commands, desired values), a person beside the gateway,
    /// and `on_cloud_loss`.
    struct From {
        bool cloud = true;
        bool local = true;
        bool loss = true;
        bool operator==(const From&) const = default;
    };
    From from;
    struct CloudLoss {
        std::chrono::milliseconds after{0};
        Value set;
        bool operator==(const CloudLoss&) const = default;
    };
    std::optional<CloudLoss> on_cloud_loss;
    bool operator==(const WriteRule&) const = default;
};

/// One property of a service and how it is read, without where it lies on the wire: that is the
/// protocol's own (southbound/modbus/field.h), in a list parallel to the template's points.
struct Point {
    std::string service;
    std::string property;
    std::string unit;
    std::optional<std::chrono::milliseconds>
        every;  ///< The point's own; else the device's or the template's.
    ReportRule report;
    Priority priority = Priority::normal;
    std::optional<WriteRule> write;
    std::optional<PropertyModel>
        model;  ///< How the platform wants it; absent if the template has no model.
    bool operator==(const Point&) const = default;
};

/// Which property a command of the model sets, and from which of its parameters.
struct CommandRule {
    std::string service;
    std::string command;
    std::string property;
    std::string parameter;
    std::vector<std::pair<std::string, Value>>
        values;                        ///< parameter -> value to write; empty: as it is
    std::string response;              ///< the model's first response; empty: none
    bool response_has_result = false;  ///< that response has a parameter `result`
    /// Another parameter of that response: the value written, or, by `parameter`, as the command's
    /// own parameter says it.
    struct Echo {
        FieldModel model;
        bool parameter = false;
        bool operator==(const Echo&) const = default;
    };
    std::vector<Echo> response_echoes;
    bool operator==(const CommandRule&) const = default;
};

}  // namespace fieldgate
