#include "base/tls_time.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <limits>

#include "base/expect.h"

namespace fieldgate {
namespace {

// OpenSSL looks its defaults for a client up by this name, first among what was added (ssl_cert.c,
// ssl_verify_cert_chain); a time of the SSL_CTX's own store would win. Added once and never
// replaced, for the table has no lock: then only one word of it changes.
X509_VERIFY_PARAM* parameter_of_clients() {
    X509_VERIFY_PARAM* const added = X509_VERIFY_PARAM_new();
    const bool good = added != nullptr && X509_VERIFY_PARAM_set1_name(added, "ssl_server") == 1 &&
                      X509_VERIFY_PARAM_set_purpose(added, X509_PURPOSE_SSL_SERVER) == 1 &&
                      X509_VERIFY_PARAM_set_trust(added, X509_TRUST_SSL_SERVER) == 1;
    expect(good, "a parameter that OpenSSL knows");
    // With a time from the start, so that no handshake ever sees one without.
    X509_VERIFY_PARAM_set_time(added, std::time(nullptr));
    expect(X509_VERIFY_PARAM_add0_table(added) == 1, "room in OpenSSL's table");
    return added;
}

}  // namespace

void judge_certificates_at(std::chrono::sys_seconds at) {
    static X509_VERIFY_PARAM* const parameter = parameter_of_clients();
    constexpr std::time_t last = std::numeric_limits<std::time_t>::max();
    const auto seconds = std::min<std::int64_t>(at.time_since_epoch().count(), last);
    X509_VERIFY_PARAM_set_time(parameter, static_cast<std::time_t>(seconds));
}

}  // namespace fieldgate
