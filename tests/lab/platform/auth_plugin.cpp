// The platform's doorman inside mosquitto 2.0 (plugin interface 5): lets in whom the platform
// would, lets them say what the platform would, and writes all of it down before the broker
// answers.
//
// A plugin can refuse a CONNECT with code 5 only, where the platform says 2 or 4.
#include <openssl/x509.h>

#include <array>
#include <chrono>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>

// C headers that do not include what they use.
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include "tests/lab/platform/admission.h"
#include "tests/lab/platform/journal.h"

namespace fieldgate::lab {
namespace {

// mosquitto.h, which Debian has in another package.
constexpr int success = 0;
constexpr int protocol_error = 2;
constexpr int auth_refused = 11;
constexpr int acl_refused = 12;

struct Door {
    std::string devices_file;
    std::unique_ptr<JournalWriter> journal;
};

// device -> client id of its session: the platform allows one, and the newer one stays (protocol
// reference 1.1). Of all listeners, hence not in Door.
std::map<std::string, std::string>& sessions() {
    static std::map<std::string, std::string> all;
    return all;
}

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

std::int64_t now_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

void note(const Door& door, Entry::Kind kind, const mosquitto* client, const char* topic,
          std::string text) {
    Entry entry;
    entry.kind = kind;
    entry.at = now_ms();
    entry.session = reinterpret_cast<std::uintptr_t>(client);
    entry.client_id = text_or_empty(mosquitto_client_id(client));
    entry.device = text_or_empty(mosquitto_client_username(client));
    entry.topic = text_or_empty(topic);
    entry.text = std::move(text);
    door.journal->append(entry);
}

std::optional<std::string> certificate_name(const mosquitto* client) {
    auto* certificate = static_cast<X509*>(mosquitto_client_certificate(client));
    if (certificate == nullptr) return std::nullopt;
    std::array<char, 256> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                              static_cast<int>(name.size()));
    X509_free(certificate);
    return std::string(name.data());
}

int on_login(int, void* event, void* user) {
    const auto& door = *static_cast<const Door*>(user);
    const auto& asked = *static_cast<const mosquitto_evt_basic_auth*>(event);
    Login login;
    login.client_id = text_or_empty(mosquitto_client_id(asked.client));
    login.username = text_or_empty(asked.username);
    if (asked.password != nullptr) login.password = asked.password;
    login.keep_alive_seconds = mosquitto_client_keepalive(asked.client);
    login.certificate_name = certificate_name(asked.client);
    const Devices devices = read_devices(door.devices_file);
    const std::string fault = login_fault(login, devices, std::time(nullptr));
    if (!fault.empty()) {
        note(door, Entry::Kind::refused, asked.client, nullptr, fault);
        return auth_refused;
    }
    std::string& session = sessions()[login.username];
    if (!session.empty() && session != login.client_id)
        mosquitto_kick_client_by_clientid(session.c_str(), false);
    sessions()[login.username] = login.client_id;
    note(door, Entry::Kind::connected, asked.client, nullptr, "");
    return success;
}

int on_access(int, void* event, void* user) {
    const auto& door = *static_cast<const Door*>(user);
    const auto& asked = *static_cast<const mosquitto_evt_acl_check*>(event);
    const std::string device = text_or_empty(mosquitto_client_username(asked.client));
    if (asked.access == MOSQ_ACL_UNSUBSCRIBE) return success;
    const bool publish = asked.access == MOSQ_ACL_WRITE;
    const std::string fault =
        publish ? publish_fault(device, asked.topic, asked.qos, asked.retain, asked.payloadlen)
                : subscribe_fault(device, asked.topic);
    if (fault.empty()) return success;
    note(door, Entry::Kind::refused, asked.client, asked.topic, fault);
    // Refused by "no access" a publish of MQTT 3.1.1 would still be acknowledged: cut the link.
    return publish ? protocol_error : acl_refused;
}

int on_message(int, void* event, void* user) {
    const auto& door = *static_cast<const Door*>(user);
    const auto& message = *static_cast<const mosquitto_evt_message*>(event);
    note(door, Entry::Kind::published, message.client, message.topic,
         std::string(static_cast<const char*>(message.payload), message.payloadlen));
    return success;
}

int on_disconnect(int, void* event, void* user) {
    const auto& door = *static_cast<const Door*>(user);
    const auto& ended = *static_cast<const mosquitto_evt_disconnect*>(event);
    note(door, Entry::Kind::closed, ended.client, nullptr, std::to_string(ended.reason));
    return success;
}

}  // namespace
}  // namespace fieldgate::lab

extern "C" {

mosq_plugin_EXPORT int mosquitto_plugin_version(int count, const int* versions) {
    for (int i = 0; i < count; ++i)
        if (versions[i] == MOSQ_PLUGIN_VERSION) return MOSQ_PLUGIN_VERSION;
    return -1;
}

mosq_plugin_EXPORT int mosquitto_plugin_init(mosquitto_plugin_id_t* id, void** user,
                                             mosquitto_opt* options, int count) {
    using namespace fieldgate::lab;
    auto door = std::make_unique<Door>();
    for (int i = 0; i < count; ++i) {
        if (std::strcmp(options[i].key, "devices") == 0) door->devices_file = options[i].value;
        if (std::strcmp(options[i].key, "journal") == 0)
            door->journal = std::make_unique<JournalWriter>(options[i].value);
    }
    if (!door->journal || door->devices_file.empty()) return auth_refused;
    Entry entry;
    entry.kind = Entry::Kind::opened;
    entry.at = now_ms();
    door->journal->append(entry);
    mosquitto_callback_register(id, MOSQ_EVT_BASIC_AUTH, on_login, nullptr, door.get());
    mosquitto_callback_register(id, MOSQ_EVT_ACL_CHECK, on_access, nullptr, door.get());
    mosquitto_callback_register(id, MOSQ_EVT_MESSAGE, on_message, nullptr, door.get());
    mosquitto_callback_register(id, MOSQ_EVT_DISCONNECT, on_disconnect, nullptr, door.get());
    *user = door.release();
    return success;
}

mosq_plugin_EXPORT int mosquitto_plugin_cleanup(void* user, mosquitto_opt*, int) {
    delete static_cast<fieldgate::lab::Door*>(user);
    return 0;
}
}
