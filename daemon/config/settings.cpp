// The small parts of the main file: store, clock, remote, local.
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <asio/ip/address.hpp>

#include "base/digest.h"
#include "daemon/config/endpoint.h"
#include "daemon/config/loading.h"

namespace fieldgate::config {
namespace {

using storage::Durability;
using storage::WhenFull;

constexpr std::size_t socket_path_max = sizeof(sockaddr_un::sun_path) - 1;

void read_hosts(const Place& place, std::vector<std::string>& hosts, Report& report) {
    hosts.clear();
    for (const Place& item : read_list(place, report)) {
        const auto text = read_text(item, report);
        if (!text) continue;
        const std::string_view name =
            text->starts_with("*.") ? std::string_view(*text).substr(2) : std::string_view(*text);
        const auto host = parse_host_port(name, 443);
        if (host && host->host == name) {
            hosts.push_back(*text);
        } else {
            report.error(item, "\"" + *text + "\" is no host",
                         "write a host name, or \"*.example.com\" for all below it");
        }
    }
}

void read_keys(const Place& place, std::vector<std::string>& keys, Report& report) {
    for (const Place& item : read_list(place, report)) {
        const auto text = read_text(item, report);
        if (!text) continue;
        const auto bytes = base64_decode(*text);
        if (bytes && bytes->size() == 32) {
            keys.push_back(*text);
        } else {
            report.error(item, "no Ed25519 public key", "write its 32 bytes in base64");
        }
    }
}

void read_listen(Fields& fields, std::string_view key, std::optional<ListenAddress>& target,
                 const std::string& example) {
    const auto place = fields.get(key);
    if (!place || is_word(*place, "off")) return;
    const auto address =
        place->is(Node::Kind::scalar) ? parse_host_port(raw_text(*place), 0) : std::nullopt;
    std::error_code no_address;
    if (address) (void)asio::ip::make_address(address->host, no_address);
    if (address && !no_address) {
        target = ListenAddress{address->host, address->port};
        return;
    }
    fields.report().error(*place, "\"" + raw_text(*place) + "\" is no address and port",
                          "write off, or an IP address and a port, such as " + example);
}

void read_path(Fields& fields, std::string_view key, std::string& target) {
    const auto place = fields.get(key);
    if (!place || !read_text(*place, fields.report())) return;
    target = resolve(place->document->folder, raw_text(*place));
}

}  // namespace

std::string where(const Place& place) {
    return place.document->file + ':' + std::to_string(place.node->line);
}

std::optional<std::string> read_existing_file(const Place& place, Loading& loading, bool secret) {
    const auto text = read_text(place, loading.report);
    if (!text) return std::nullopt;
    std::string path = resolve(place.document->folder, *text);
    const auto first_bytes =
        secret ? loading.disk.read_secret(path, 1'000'000) : loading.disk.read(path, 1'000'000);
    if (first_bytes) return path;
    loading.report.error(place, path + ": " + first_bytes.error().what,
                         "paths are relative to the file that names them");
    return std::nullopt;
}

void read_store(const Place& place, Loading& loading) {
    storage::Settings& store = loading.config.store;
    Fields fields(place, loading.report, Keys::store);
    read_path(fields, "path", store.path);
    // Less would not hold the ballast and a second of a large site; more, SQLite's page numbers.
    fields.size("max_size", store.max_size_bytes, 4ULL << 20, 1024ULL << 30);
    fields.size("keep_free", store.keep_free_bytes, 0, 1024ULL << 30);
    fields.word<Durability>("durability", store.durability,
                            {{"strict", Durability::strict},
                             {"group", Durability::group},
                             {"flash_saver", Durability::flash_saver}});
    fields.duration("commit", store.commit, std::chrono::milliseconds(10),
                    std::chrono::minutes(10));
    fields.word<WhenFull>(
        "when_full", store.when_full,
        {{"drop_oldest", WhenFull::drop_oldest}, {"drop_newest", WhenFull::drop_newest}});
}

void read_clock(const Place& place, Loading& loading) {
    Fields fields(place, loading.report, Keys::clock);
    fields.flag("require_sync", loading.config.require_sync);
}

void read_remote(const Place& place, Loading& loading) {
    RemoteSettings& remote = loading.config.remote;
    const std::array<std::pair<const char*, bool*>, 9> powers{
        {{"write", &remote.write},
         {"manage_devices", &remote.manage_devices},
         {"configure", &remote.configure},
         {"upgrade", &remote.upgrade},
         {"files", &remote.files},
         {"operate", &remote.operate},
         {"logs", &remote.logs},
         {"tunnel", &remote.tunnel},
         {"restart", &remote.restart}}};
    Fields fields(place, loading.report, Keys::remote);
    for (const auto& [name, target] : powers) {
        fields.flag(name, *target);
        const bool there =
            target == &remote.write || target == &remote.operate || target == &remote.restart;
        if (*target && !there) loading.not_yet(*fields.get(name));
    }
    if (const auto hosts = fields.get("hosts")) {
        read_hosts(*hosts, remote.hosts, loading.report);
    }
    fields.flag("private_addresses", remote.private_addresses);
    const auto ca = fields.get("ca");
    if (ca && !is_word(*ca, "system")) {
        if (auto path = read_existing_file(*ca, loading)) remote.ca = std::move(*path);
    }
    if (const auto keys = fields.get("signing_keys")) {
        read_keys(*keys, remote.signing_keys, loading.report);
    }
}

void read_local(const Place& place, Loading& loading) {
    LocalSettings& local = loading.config.local;
    Fields fields(place, loading.report, Keys::local);
    read_path(fields, "control", local.control);
    read_listen(fields, "web", local.web, "127.0.0.1:8480");
    read_listen(fields, "metrics", local.metrics, "127.0.0.1:9464");
    if (local.web) loading.not_yet(*fields.get("web"));
    if (local.control.size() > socket_path_max) {
        loading.report.error(*fields.get("control"), "longer than a socket's name can be",
                             "at most " + std::to_string(socket_path_max) + " characters");
    }
}

}  // namespace fieldgate::config
