#include "daemon/config/endpoint.h"

#include <algorithm>
#include <array>

#include "daemon/config/words.h"

namespace fieldgate::config {
namespace {

using northbound::Scheme;

struct KnownScheme {
    std::string_view name;
    Scheme scheme;
    std::uint16_t port;
    bool tls;
};
constexpr std::array<KnownScheme, 6> schemes{{{"mqtts", Scheme::mqtts, 8883, true},
                                              {"mqtt", Scheme::mqtt, 1883, false},
                                              {"https", Scheme::https, 443, true},
                                              {"coaps", Scheme::coaps, 5684, true},
                                              {"coap", Scheme::coap, 5683, false},
                                              {"at", Scheme::at, 0, false}}};

bool is_host(std::string_view text) {
    if (text.empty() || text.size() > 253) return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '.' || c == '-' || c == '_';
    });
}

bool is_ipv6(std::string_view text) {
    return text.find(':') != std::string_view::npos &&
           text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

std::optional<Endpoint> parse_endpoint(const Place& place, Report& report) {
    const std::string& text = raw_text(place);
    if (text.find('@') != std::string::npos) {
        report.error(place, "an address holds no user name and no password",
                     "write mqtts://host:8883; platform.auth says who we are");
        return std::nullopt;
    }
    const std::size_t colon = text.find("://");
    const std::string_view name =
        std::string_view(text).substr(0, colon == std::string::npos ? 0 : colon);
    const auto known = std::find_if(schemes.begin(), schemes.end(),
                                    [&](const KnownScheme& scheme) { return scheme.name == name; });
    if (known == schemes.end()) {
        std::vector<std::string> names;
        for (const KnownScheme& scheme : schemes) names.emplace_back(scheme.name);
        report.error(place, "\"" + text + "\" begins with no known scheme",
                     name.empty() ? "write scheme://host:port, such as mqtts://iot.example.com:8883"
                                  : did_you_mean(name, names));
        return std::nullopt;
    }
    const std::string_view rest = std::string_view(text).substr(colon + 3);
    if (known->scheme == Scheme::at) {
        if (rest.starts_with('/')) return Endpoint{known->scheme, std::string(rest), 0};
        report.error(place, "\"" + text + "\" names no module",
                     "write the module's device file: at:///dev/ttyUSB2");
        return std::nullopt;
    }
    const auto address = parse_host_port(rest, known->port);
    if (address) return Endpoint{known->scheme, address->host, address->port};
    report.error(place, "\"" + std::string(rest) + "\" is no host and port",
                 "write " + std::string(name) + "://host:" + std::to_string(known->port) +
                     ", without a path");
    return std::nullopt;
}

// cred:NAME -> $CREDENTIALS_DIRECTORY/NAME, else credentials/NAME beside the file.
std::optional<std::string> credential_path(const Place& place, Loading& loading) {
    const std::string name = raw_text(place).substr(5);
    const bool plain =
        !name.empty() && name[0] != '.' && name.find_first_of("/ \t") == std::string::npos;
    if (!plain) {
        loading.report.error(place, "\"" + name + "\" is no name of a credential",
                             "write cred: and the name of a file in credentials/");
        return std::nullopt;
    }
    const char* folder = loading.disk.real() ? std::getenv("CREDENTIALS_DIRECTORY")  // NOLINT
                                             : nullptr;
    if (folder != nullptr) {
        std::string path = resolve(folder, name);
        if (loading.disk.exists(path)) {
            loading.config.loaded_by_systemd.insert(name);
            return path;
        }
    }
    std::string path = resolve(place.document->folder, "credentials/" + name);
    if (loading.disk.exists(path)) return path;
    loading.report.error(
        place, "the credential " + path + " is not there",
        folder == nullptr ? "put it there, with mode 0600" : "put it there, or load it by systemd");
    return std::nullopt;
}

// The path of a secret file that only its owner can read.
std::optional<std::string> private_file(const Place& place, Loading& loading) {
    if (!read_text(place, loading.report)) return std::nullopt;
    const auto path = raw_text(place).starts_with("cred:")
                          ? credential_path(place, loading)
                          : read_existing_file(place, loading, true);
    if (!path) return std::nullopt;
    const std::string others = loading.disk.others(*path);
    if (others.empty()) return path;
    loading.report.error(place, *path + " can be read by others (" + others + ")",
                         "run: chmod 600 " + *path);
    return std::nullopt;
}

void read_secret(const Place& place, northbound::Identity& identity, Loading& loading) {
    if (place.is(Node::Kind::scalar) && !raw_text(place).starts_with("cred:")) {
        loading.report.error(place, "a secret does not stand in a configuration file",
                             "write cred:NAME, and put the secret into credentials/NAME (mode "
                             "0600) beside this file");
        return;
    }
    const auto path = private_file(place, loading);
    if (!path) return;
    auto text = loading.disk.read_secret(*path, 4096);
    if (!text) {
        loading.report.error(place, *path + ": " + text.error().what,
                             "it holds one line, the secret, and this user can read it");
        return;
    }
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
    const bool control = std::any_of(text->begin(), text->end(),
                                     [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (loading.disk.real() && (text->empty() || control)) {
        loading.report.error(place, *path + (control ? " holds control characters" : " is empty"),
                             "it holds one line, the secret");
        return;
    }
    identity.secret = Secret(std::move(*text));
}

}  // namespace

bool Endpoint::tls() const {
    return scheme == Scheme::mqtts || scheme == Scheme::https || scheme == Scheme::coaps;
}

std::optional<HostPort> parse_host_port(std::string_view text, std::uint16_t port) {
    HostPort address;
    std::string_view rest;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos || !is_ipv6(text.substr(1, end - 1))) return std::nullopt;
        address.host = text.substr(1, end - 1);
        rest = text.substr(end + 1);
    } else {
        const std::size_t colon = text.find(':');
        address.host = text.substr(0, colon);
        if (!is_host(address.host)) return std::nullopt;
        if (colon != std::string_view::npos) rest = text.substr(colon);
    }
    if (rest.empty()) {
        address.port = port;
        return port == 0 ? std::nullopt : std::optional(address);
    }
    const auto number = rest[0] == ':' ? parse_whole(rest.substr(1)) : std::nullopt;
    if (!number || *number < 1 || *number > 65535 || rest.find('x') != std::string_view::npos)
        return std::nullopt;
    address.port = static_cast<std::uint16_t>(*number);
    return address;
}

std::optional<Endpoint> read_endpoint(Fields& fields, bool required, std::string& ca_file,
                                      Loading& loading) {
    std::optional<Place> place;
    if (required) {
        place = fields.require("endpoint", "add endpoint: mqtts://HOST:8883");
    } else {
        place = fields.get("endpoint");
    }
    std::optional<Endpoint> endpoint;
    if (place && read_text(*place, fields.report()))
        endpoint = parse_endpoint(*place, fields.report());
    std::optional<Place> ca;
    if (endpoint && endpoint->tls()) {
        ca = fields.require("ca", "add ca: FILE, the certificate that signs the platform's");
    } else {
        ca = fields.get("ca");
    }
    if (ca) {
        if (auto path = read_existing_file(*ca, loading)) ca_file = std::move(*path);
    }
    return endpoint;
}

void read_identity(const Place& place, northbound::Identity& identity, Loading& loading) {
    Fields fields(place, loading.report, Keys::auth);
    const bool by_secret = fields.has("secret");
    const bool by_certificate = fields.has("certificate");
    if (by_secret == by_certificate && place.is(Node::Kind::map)) {
        loading.report.error(
            place,
            by_secret ? "both a secret and a certificate" : "neither a secret nor a certificate",
            "exactly one: secret: cred:NAME, or certificate: FILE with key:");
    }
    if (const auto secret = fields.get("secret")) read_secret(*secret, identity, loading);
    fields.word<bool>("timestamp", identity.check_timestamp,
                      {{"unchecked", false}, {"checked", true}});
    if (const auto certificate = fields.get("certificate")) {
        if (auto path = read_existing_file(*certificate, loading))
            identity.certificate_file = std::move(*path);
    }
    const auto key = by_certificate
                         ? fields.require("key", "add the certificate's key: cred:NAME or a file")
                         : fields.get("key");
    if (key && !by_certificate) {
        loading.report.error(*key, "a key without a certificate", "add certificate: FILE");
    } else if (key) {
        if (auto path = private_file(*key, loading)) identity.key_file = std::move(*path);
    }
}

}  // namespace fieldgate::config
