#include "daemon/config.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/digest.h"
#include "daemon/config/loading.h"
#include "daemon/config/text.h"

namespace fieldgate {

using config::Disk;
using config::Document;
using config::Fields;
using config::Loading;
using config::Place;

namespace {

constexpr const char* include_default = "conf.d/*.yaml";
constexpr const char* templates_default = "templates/*.yaml";
constexpr const char* folder_hint = "a folder that this user can read (ls -ld)";

class Loader {
public:
    explicit Loader(Disk disk) : loading_(disk) {}

    LoadedConfig load(const std::string& main_file) {
        std::error_code error;
        const std::string path =
            std::filesystem::absolute(main_file, error).lexically_normal().string();
        folder_ = config::folder_of(path);
        auto text = loading_.disk.read(path, config::file_bytes_max);
        if (!text) {
            loading_.report.unreadable(main_file, text.error().what,
                                       text.error().code == Errc::out_of_range
                                           ? "split the site into several files"
                                           : "--config FILE names the main file");
        } else if (Document* main = open(path, std::move(*text))) {
            read_main(*main);
        }
        return finish();
    }

    LoadedConfig load_text(std::string text) {
        folder_ = "/";
        if (Document* main = open("/text.yaml", std::move(text))) {
            read_template(*main, loading_);
            read_main(*main);
        }
        return finish();
    }

private:
    // The document, parsed; nullptr, with problems, if that cannot be.
    Document* open(const std::string& path, std::string text) {
        const std::string stranger = loading_.disk.changed_by(path);
        if (!stranger.empty())
            loading_.report.remark(config::seen_from(folder_, path),
                                   stranger + " can change this file, and so command this plant",
                                   "run: chown root " + path + " && chmod go-w " + path);
        loading_.hashed.append(text).push_back('\0');
        auto& document = loading_.documents.emplace_back(std::make_unique<Document>(
            config::seen_from(folder_, path), config::folder_of(path), std::move(text)));
        return config::parse(*document, loading_.report) ? document.get() : nullptr;
    }

    // The documents that the patterns of a list name; false if one of them is not to be had.
    bool open_all(const std::optional<Place>& list, const char* pattern_default,
                  std::vector<Document*>& documents) {
        bool complete = true;
        if (!list) {
            const auto paths = loading_.disk.match(folder_, pattern_default);
            if (!paths)
                loading_.report.unreadable(pattern_default, paths.error().what, folder_hint);
            if (!paths) return false;
            for (const std::string& path : *paths)
                complete = open_named(path, documents) && complete;
            return complete;
        }
        for (const Place& item : config::read_list(*list, loading_.report)) {
            const auto pattern = config::read_text(item, loading_.report);
            if (!pattern) continue;
            const auto paths = loading_.disk.match(folder_, *pattern);
            complete = are_there(item, *pattern, paths) && complete;
            if (!paths) continue;
            for (const std::string& path : *paths)
                complete = open_named(path, documents) && complete;
        }
        return complete;
    }

    // What a folder that cannot be read holds must not be taken for gone, with all of its devices.
    bool are_there(const Place& item, const std::string& pattern,
                   const Result<std::vector<std::string>>& paths) {
        const char* const relative = "paths are relative to the file that names them";
        if (!paths) {
            loading_.report.error(item, pattern + ": " + paths.error().what, folder_hint);
            return false;
        }
        if (!paths->empty() || !loading_.disk.real()) return true;
        if (config::is_pattern(pattern)) {
            loading_.report.warning(item, "there is no file " + pattern, relative);
            return true;
        }
        loading_.report.error(item, "there is no file " + pattern, relative);
        return false;
    }

    bool open_named(const std::string& path, std::vector<Document*>& documents) {
        if (!opened_.insert(path).second) return true;
        auto text = loading_.disk.read(path, config::file_bytes_max);
        if (!text) {
            loading_.report.unreadable(config::seen_from(folder_, path), text.error().what,
                                       "a text of at most 1 MB that this user can read");
            return false;
        }
        Document* document = open(path, std::move(*text));
        if (document != nullptr) documents.push_back(document);
        return document != nullptr;
    }

    void read_main(const Document& document) {
        Fields fields({&document, &document.root, {}}, loading_.report, config::Keys::main);
        if (fields.require("schema", "begin with schema: 1")) {
            int schema = 1;
            fields.whole("schema", schema, 1, 1);
        }
        if (const auto place = fields.require("platform", "add platform: with endpoint:"))
            config::read_platform(*place, !fields.has("provisioning"), loading_);
        read_part(fields, "provisioning", config::read_provisioning);
        read_part(fields, "store", config::read_store);
        read_part(fields, "clock", config::read_clock);
        read_part(fields, "remote", config::read_remote);
        read_part(fields, "local", config::read_local);
        read_site(fields);
        const auto gateway = loading_.templates.find("gateway");
        if (fields.has("gateway")) {
            read_part(fields, "gateway", config::read_gateway);
        } else if (gateway != loading_.templates.end() && gateway->second &&
                   loading_.config.templates[*gateway->second].protocol ==
                       Template::Protocol::self) {
            loading_.config.gateway_template = gateway->second;
        }
        config::check_devices(loading_);
    }

    void read_part(Fields& fields, const char* key, void (*read)(const Place&, Loading&)) {
        if (const auto place = fields.get(key)) read(*place, loading_);
    }

    // Buses and templates of all files before the first device.
    void read_site(Fields& main) {
        std::vector<Document*> documents;
        loading_.templates_incomplete =
            !open_all(main.get("templates"), templates_default, documents);
        for (const Document* document : documents) config::read_template(*document, loading_);

        std::vector<Document*> sites;
        loading_.buses_incomplete = !open_all(main.get("include"), include_default, sites);
        std::vector<Fields> included;
        for (const Document* document : sites) {
            included.emplace_back(Place{document, &document->root, {}}, loading_.report,
                                  config::Keys::included);
        }
        read_part(main, "buses", config::read_buses);
        for (Fields& fields : included) read_part(fields, "buses", config::read_buses);
        read_part(main, "devices", config::read_devices);
        for (Fields& fields : included) read_part(fields, "devices", config::read_devices);
    }

    LoadedConfig finish() {
        LoadedConfig loaded;
        loaded.local = loading_.config.local;
        loaded.remote = loading_.config.remote;
        loaded.store_path = loading_.config.store.path;
        if (!loading_.report.failed()) {
            config::check_loads(loading_);
            loading_.config.hash = sha256_hex(loading_.hashed);
            loading_.config.files =
                std::make_shared<const config::Disk::Files>(loading_.disk.files());
            loaded.config = std::move(loading_.config);
        }
        loaded.may_pass = !loaded.config && loading_.disk.troubled();
        loaded.problems = loading_.report.take();
        return loaded;
    }

    Loading loading_;
    std::string folder_;
    std::set<std::string> opened_;
};

}  // namespace

LoadedConfig load_config(const std::string& main_file) {
    return Loader(Disk(true)).load(main_file);
}

LoadedConfig load_kept_config(const std::string& main_file, const std::string& kept) {
    std::error_code error;
    const std::string path =
        std::filesystem::absolute(main_file, error).lexically_normal().string();
    return Loader(Disk(config::folder_of(path), kept)).load(main_file);
}

bool has_a_road(const northbound::PlatformSettings& platform) {
    const bool mqtt =
        platform.scheme == northbound::Scheme::mqtts || platform.scheme == northbound::Scheme::mqtt;
    return mqtt && !platform.host.empty();
}

Exit exit_of(const LoadedConfig& loaded) {
    if (loaded.config) return Exit::well;
    return loaded.may_pass ? Exit::failed : Exit::configuration;
}

std::vector<Problem> config::check_text(std::string text) {
    return Loader(Disk(false)).load_text(std::move(text)).problems;
}

std::chrono::milliseconds period(const Template& tmpl, const DeviceConfig& device,
                                 std::size_t point) {
    const auto& own = (*tmpl.points)[point].every;
    return own ? *own : device.every.value_or(tmpl.every);
}

std::vector<southbound::DeviceSettings> devices_of(const Config& config, std::size_t bus) {
    std::vector<southbound::DeviceSettings> devices;
    for (std::size_t i = 0; i < config.devices.size(); ++i) {
        const DeviceConfig& device = config.devices[i];
        if (device.bus != bus) continue;
        const Template& tmpl = config.templates[device.device_template];
        southbound::DeviceSettings settings;
        settings.device.index = static_cast<DeviceIndex>(i);
        settings.name = device.name;
        settings.unit = device.unit;
        settings.map = tmpl.registers;
        settings.points = tmpl.points;
        settings.offline = device.offline;
        for (std::size_t point = 0; point < tmpl.points->size(); ++point)
            settings.every.push_back(period(tmpl, device, point));
        devices.push_back(std::move(settings));
    }
    return devices;
}

}  // namespace fieldgate
