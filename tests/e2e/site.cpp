#include "tests/e2e/site.h"

#include <chrono>

namespace fieldgate::e2e {
namespace {

lab::Platform::Settings platform_settings(const Site::Settings& site) {
    lab::Platform::Settings settings;
    settings.devices[Site::gateway_id] = Site::secret;
    settings.rules.lanes = site.lanes;
    settings.clock_off = site.platform_clock_off;
    return settings;
}

constexpr const char* template_yaml = R"(template: witness
product_id: e2e
protocol: modbus
defaults: { every: 1s }
services:
  Testimony:
    number:    { at: "holding:0", type: u32 }
    scrambled: { at: "holding:2", type: u32 }
)";

}  // namespace

Site::Site(Settings settings) : settings_(std::move(settings)) {
    if (settings_.endpoint.empty())
        platform_ = std::make_unique<lab::Platform>(platform_settings(settings_));
    write_configuration();
}

void Site::write_configuration() {
    const std::string endpoint = platform_ ? platform_->endpoint() : settings_.endpoint;
    std::string text = "schema: 1\nplatform:\n  endpoint: " + endpoint +
                       "\n  device_id: " + gateway_id + "\n  auth: { secret: cred:gateway" +
                       settings_.auth_more + " }\n";
    if (platform_) text += "  ca: " + platform_->ca().string() + "\n";
    text += settings_.platform_more;
    text += "store: { path: store, keep_free: 1MiB" + settings_.store_more +
            " }\nlocal: { control: control.sock" + settings_.local_more + " }\n" + settings_.more +
            "buses:\n  field: { protocol: modbus-tcp, tcp: \"127.0.0.1:" +
            std::to_string(witness_.port()) + "\" }\n";
    if (settings_.units > 0)
        text += "devices:\n  - { name: \"d{unit}\", unit: 1.." + std::to_string(settings_.units) +
                ", template: witness, bus: field, node_id: \"D{unit}\", every: " + settings_.every +
                " }\n";
    lab::write_file(dir_ / "fieldgate.yaml", text);
    std::filesystem::create_directory(dir_ / "templates");
    lab::write_file(dir_ / "templates/witness.yaml", template_yaml);
    for (const auto& [name, contents] : settings_.files) {
        std::filesystem::create_directories((dir_ / name).parent_path());
        lab::write_file(dir_ / name, contents);
    }
    std::filesystem::create_directory(dir_ / "credentials");
    lab::write_file(dir_ / "credentials/gateway", secret);
    std::filesystem::permissions(
        dir_ / "credentials/gateway",
        std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

void Site::start() {
    lab::Child::Options options;
    options.output = dir_ / "gateway.log";
    options.environment = settings_.environment;
    std::vector<std::string> words = settings_.wrapper;
    for (const char* word : {FIELDGATE_BINARY, "run", "--config"}) words.emplace_back(word);
    words.push_back((dir_ / "fieldgate.yaml").string());
    gateway_.emplace(words, options);
}

lab::Finished Site::command(std::vector<std::string> words) const {
    words.insert(words.begin(), FIELDGATE_BINARY);
    words.emplace_back("--config");
    words.push_back((dir_ / "fieldgate.yaml").string());
    return lab::run(words);
}

std::optional<json::Value> Site::status() const {
    const lab::Finished asked = command({"status", "--json"});
    if (asked.code != 0) return std::nullopt;
    Result<json::Value> parsed = json::parse(asked.output);
    if (!parsed) return std::nullopt;
    return std::move(*parsed);
}

std::int64_t Site::book(const std::string& name) const {
    const std::optional<json::Value> now = status();
    if (!now) return -1;
    return *now->get("books")->get(name)->integer();
}

std::int64_t Site::imbalance() const {
    const std::optional<json::Value> now = status();
    if (!now) return -1;
    const auto of = [&](const char* name) { return *now->get("books")->get(name)->integer(); };
    return of("accepted") - of("acknowledged") - of("pending") - of("evicted") - of("quarantined");
}

std::map<std::uint8_t, std::set<std::uint32_t>> Site::arrived() const {
    std::map<std::uint8_t, std::set<std::uint32_t>> numbers;
    for (const lab::Record& record : platform_->records()) {
        if (!record.device.starts_with("e2e_D")) continue;
        const auto unit = static_cast<std::uint8_t>(std::stoul(record.device.substr(5)));
        numbers[unit].insert(
            static_cast<std::uint32_t>(std::stoul(record.properties.at("number"))));
    }
    return numbers;
}

std::size_t Site::missing(std::int64_t from_ms, std::int64_t until_ms) const {
    const auto there = arrived();
    std::size_t count = 0;
    for (const Witness::Said& said : witness_.said()) {
        if (said.at_ms < from_ms || said.at_ms >= until_ms) continue;
        const auto unit = there.find(said.unit);
        if (unit == there.end() || !unit->second.contains(said.number)) ++count;
    }
    return count;
}

std::size_t Site::wrong() const {
    std::map<std::uint32_t, std::uint8_t> units;
    for (const Witness::Said& said : witness_.said()) units[said.number] = said.unit;
    std::size_t count = 0;
    for (const lab::Record& record : platform_->records()) {
        if (!record.device.starts_with("e2e_D")) continue;
        const auto number = static_cast<std::uint32_t>(std::stoul(record.properties.at("number")));
        const auto scrambled =
            static_cast<std::uint32_t>(std::stoul(record.properties.at("scrambled")));
        const auto unit = units.find(number);
        if (scrambled != Witness::scrambled(number) || unit == units.end() ||
            record.device != device_id(unit->second))
            ++count;
    }
    return count;
}

std::int64_t Site::now_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace fieldgate::e2e
