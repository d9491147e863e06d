#include <algorithm>
#include <cmath>

#include "base/digest.h"
#include "daemon/config/endpoint.h"
#include "daemon/config/loading.h"
#include "daemon/config/words.h"

namespace fieldgate::config {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// What one connection may send a second (protocol reference, appendix A).
constexpr double messages_per_second_max = 50;

void read_unlimited_rate(Fields& fields, std::string_view key, double& target,
                         std::optional<double> (*parse)(std::string_view), const char* hint) {
    const auto place = fields.get(key);
    if (!place) return;
    if (is_word(*place, "unlimited")) {
        fields.report().warning(*place, "the platform has limits of its own",
                                "unlimited is for laboratories and replays at one's own risk");
        target = northbound::Limits::unlimited;
        return;
    }
    const auto value = place->is(Node::Kind::scalar) ? parse(raw_text(*place)) : std::nullopt;
    if (value && *value > 0) {
        target = *value;
        return;
    }
    fields.report().error(*place, "\"" + raw_text(*place) + "\" is no rate", hint);
}

void read_limits(const Place& place, northbound::Limits& limits, Report& report) {
    Fields fields(place, report, Keys::limits);
    read_unlimited_rate(fields, "messages", limits.messages_per_second, parse_rate,
                        "write a whole number a second or minute, such as 45/s or 10/min");
    if (limits.messages_per_second > messages_per_second_max &&
        std::isfinite(limits.messages_per_second)) {
        report.error(place.at("messages", *place.node->find("messages")),
                     "more than the platform takes", "at most 50/s, or unlimited");
    }
    read_unlimited_rate(fields, "bandwidth", limits.bytes_per_second, parse_byte_rate,
                        "write a whole number of KiB/s or MiB/s, such as 100KiB/s");
    std::uint64_t payload = limits.payload_bytes;
    fields.size("payload", payload, 1024, 64 * 1024);
    limits.payload_bytes = static_cast<std::size_t>(payload);
    fields.whole("sub_devices", limits.sub_devices, 1, 100);
    const auto history = fields.get("history");
    if (history && !is_word(*history, "unlimited")) {
        if (parse_whole(raw_text(*history))) {
            fields.whole("history", limits.history, 1, 1'000'000);
        } else {
            report.error(*history, "\"" + raw_text(*history) + "\" is no number of entries",
                         "write a number from 1, or unlimited");
        }
    }
}

void read_reconnect(const Place& place, northbound::ReconnectPolicy& policy, Report& report) {
    Fields fields(place, report, Keys::reconnect);
    fields.duration("from", policy.from, milliseconds(100), hours(1));
    fields.duration("to", policy.to, milliseconds(100), hours(24));
    fields.duration("stable_after", policy.stable_after, seconds(0), hours(24));
    if (policy.from > policy.to) {
        report.error(place, "from is longer than to",
                     "pauses grow: from " + format_duration(policy.to) + " or less");
    }
}

// At most 50 subscriptions a connection (protocol reference, appendix A, the smaller figure), six
// of them our own; a topic of at most 128 bytes.
constexpr std::size_t own_subscriptions = 6;
constexpr std::size_t topics_max = 50 - own_subscriptions;
constexpr std::size_t topic_bytes_max = 128;

struct TopicFault {
    std::string what;
    std::string hint;
};

// Wildcards stand for whole levels, "#" for the last (MQTT 3.1.1, 4.7.1). A broker closes the
// connection on any other filter, every time.
std::optional<TopicFault> wildcard_fault(std::string_view topic) {
    for (std::size_t begin = 0; begin <= topic.size();) {
        const std::size_t end = std::min(topic.find('/', begin), topic.size());
        const std::string_view level = topic.substr(begin, end - begin);
        const bool wild = level.find_first_of("+#") != std::string_view::npos;
        if (wild && level.size() > 1)
            return TopicFault{"a wildcard beside other characters",
                              "+ and # stand between slashes"};
        if (level == "#" && end != topic.size())
            return TopicFault{"# is not the last level", "use + for one level in between"};
        begin = end + 1;
    }
    return std::nullopt;
}

std::optional<TopicFault> topic_fault(std::string_view topic, const std::string& device_id) {
    if (topic.empty()) return TopicFault{"an empty topic", "remove it"};
    if (topic.size() > topic_bytes_max)
        return TopicFault{"a topic longer than 128 bytes", "the platform allows 128 bytes"};
    if (auto fault = wildcard_fault(topic)) return fault;
    const std::string own = "$oc/devices/" + device_id + "/user/";
    if (topic[0] != '$' || topic.starts_with("$oc/broadcast/") || topic.starts_with(own))
        return std::nullopt;
    return TopicFault{"the platform does not give this topic to this gateway",
                      "$oc/broadcast/..., " + own + "... or a topic without $"};
}

void read_topics(const Place& place, const std::string& device_id, Loading& loading) {
    std::vector<std::string> topics;
    for (const Place& item : read_list(place, loading.report)) {
        const auto topic = read_text(item, loading.report);
        if (!topic) continue;
        if (const auto fault = topic_fault(*topic, device_id))
            loading.report.error(item, fault->what, fault->hint);
        else if (std::find(topics.begin(), topics.end(), *topic) != topics.end())
            loading.report.error(item, "the topic stands twice", "remove one of them");
        else
            topics.push_back(*topic);
    }
    if (topics.size() > topics_max)
        loading.report.error(place, "more than 44 topics",
                             "the platform allows 50 subscriptions, 6 are the gateway's own");
    if (!topics.empty()) loading.not_yet(place);
}

void read_device_id(Fields& fields, std::string& device_id) {
    const auto place =
        fields.require("device_id", "add device_id: as the platform's device page shows it");
    if (!place) return;
    const auto text = read_text(*place, fields.report());
    if (!text) return;
    if (is_identifier(*text) && text->size() <= 128) {
        device_id = *text;
        return;
    }
    fields.report().error(*place, "\"" + *text + "\" is no device id",
                          "1 to 128 letters, digits, _ and -");
}

// Valid, but `run` refuses it.
void no_road(const Place& place, Loading& loading) {
    loading.report.warning(place, "with this the gateway does not start in this version",
                           "it speaks MQTT only, and cannot be provisioned yet: write endpoint: "
                           "mqtts://HOST:8883");
}

void read_fallback(const Place& place, Loading& loading) {
    Fields fields(place, loading.report, Keys::fallback);
    std::string ca;
    (void)read_endpoint(fields, true, ca, loading);
    milliseconds after = minutes(5);
    fields.duration("after", after, seconds(10), days(7));
    loading.not_yet(place);
}

std::string digest_of(const std::vector<std::string>& files, const Disk& disk) {
    std::string bytes;
    for (const std::string& file : files) {
        if (file.empty()) continue;
        if (const Result<std::string> text = disk.read_secret(file, 1'000'000)) bytes += *text;
        bytes += '\0';
    }
    return sha256_hex(bytes);
}

}  // namespace

void read_platform(const Place& place, bool endpoint_required, Loading& loading) {
    northbound::PlatformSettings& platform = loading.config.platform;
    Fields fields(place, loading.report, Keys::platform);
    const auto endpoint = read_endpoint(fields, endpoint_required, platform.ca_file, loading);
    if (endpoint) {
        platform.scheme = endpoint->scheme;
        platform.host = endpoint->host;
        platform.port = endpoint->port;
        const bool mqtt = endpoint->scheme == northbound::Scheme::mqtt ||
                          endpoint->scheme == northbound::Scheme::mqtts;
        if (!mqtt) {
            no_road(*fields.get("endpoint"), loading);
            loading.not_yet(*fields.get("endpoint"));
        }
    } else if (!fields.has("endpoint") && !endpoint_required) {
        no_road(place, loading);
    }
    read_device_id(fields, platform.device_id);
    const auto auth = fields.require("auth", "add auth: { secret: cred:NAME }");
    if (auth) read_identity(*auth, platform.identity, loading);
    fields.duration("keep_alive", platform.keep_alive, seconds(30), seconds(1200));
    fields.duration("linger", platform.linger, milliseconds(0), minutes(10));
    if (const auto limits = fields.get("limits")) {
        read_limits(*limits, platform.limits, loading.report);
    }
    if (const auto reconnect = fields.get("reconnect")) {
        read_reconnect(*reconnect, platform.reconnect, loading.report);
    }
    fields.word<bool>("register", platform.register_devices, {{"off", false}, {"auto", true}});
    if (platform.register_devices) loading.not_yet(*fields.get("register"));
    if (const auto topics = fields.get("topics")) read_topics(*topics, platform.device_id, loading);
    if (const auto fallback = fields.get("fallback")) read_fallback(*fallback, loading);
    platform.files_digest = digest_of(
        {platform.ca_file, platform.identity.certificate_file, platform.identity.key_file},
        loading.disk);
}

void read_provisioning(const Place& place, Loading& loading) {
    Fields fields(place, loading.report, Keys::provisioning);
    std::string ca;
    const auto endpoint = read_endpoint(fields, true, ca, loading);
    if (endpoint && endpoint->scheme != northbound::Scheme::mqtts &&
        endpoint->scheme != northbound::Scheme::mqtt) {
        loading.report.error(*fields.get("endpoint"), "provisioning speaks MQTT",
                             "write mqtts://HOST:8883");
    }
    std::string unused;
    fields.text("scope", unused);
    fields.text("keyword", unused);
    northbound::Identity identity;
    const auto auth = fields.require("auth", "add auth: { secret: cred:NAME }");
    if (auth) read_identity(*auth, identity, loading);
    loading.not_yet(place);
}

}  // namespace fieldgate::config
