#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

/// The platform's list of our sub-devices and how it changes (protocol reference 4.1 to 4.3, 4.6 to
/// 4.9). Values only.
namespace fieldgate::northbound {

/// As the platform describes it; what it left out is empty.
struct SubDevice {
    std::string device_id;
    std::string node_id;
    std::string parent_device_id;
    std::string product_id;
    std::string name;
    json::Value::Object extension_info;
};

/// Devices were added: on the platform, or while we were away. The version may be one that is known
/// already; the same devices may come again.
struct SubDevicesAdded {
    std::int64_t version = 0;
    std::vector<SubDevice> devices;
    std::size_t unreadable = 0;  ///< Entries left out: of a wrong type, or without an id.
};

struct SubDevicesDeleted {
    std::int64_t version = 0;
    std::vector<std::string> device_ids;
    std::size_t unreadable = 0;  ///< Entries left out.
};

/// What has changed since `version`? Answered by the two above, or not at all.
struct SyncQuestion {
    std::int64_t version = 0;  ///< 0: the whole list.
};

struct NewSubDevice {
    std::string node_id;
    std::string product_id;
    std::string device_id;       ///< Empty: the platform makes one of product and node.
    std::string name;            ///< Empty: none.
    std::string extension_info;  ///< A JSON object as text; empty: none.
};

inline constexpr std::size_t registrations_max = 50;  ///< In one request.

/// Both: at most registrations_max, at least one. The response brings `event_id` back, within 30 s.
struct AddSubDevices {
    std::string event_id;
    std::vector<NewSubDevice> devices;
};
struct DeleteSubDevices {
    std::string event_id;
    std::vector<std::string> device_ids;
};

/// Some may have succeeded and others failed.
struct AddResponse {
    struct Failure {
        std::string node_id, product_id;
        std::string code, message;
    };
    std::string event_id;
    std::vector<SubDevice> successful;
    std::vector<Failure> failed;
};
struct DeleteResponse {
    struct Failure {
        std::string device_id;
        std::string code, message;
    };
    std::string event_id;
    std::vector<std::string> successful;
    std::vector<Failure> failed;
};

}  // namespace fieldgate::northbound
