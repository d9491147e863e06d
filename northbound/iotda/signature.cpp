#include "northbound/iotda/signature.h"

#include "base/digest.h"
#include "model/event_time.h"

namespace fieldgate::northbound::iotda {

std::string hour_stamp(Utc now) {
    const std::string text = event_time_seconds(now);  // 20261122T203500Z
    return text.substr(0, 8) + text.substr(9, 2);
}

Credentials sign(std::string_view device_id, const Identity& identity, bool checked, Utc now) {
    const std::string hour = hour_stamp(now);
    Credentials credentials;
    credentials.client_id = device_id;
    credentials.client_id += checked ? "_0_1_" : "_0_0_";
    credentials.client_id += hour;
    credentials.username = device_id;
    if (!identity.by_certificate())
        credentials.password = Secret(hmac_sha256_hex(hour, identity.secret.reveal()));
    return credentials;
}

}  // namespace fieldgate::northbound::iotda
