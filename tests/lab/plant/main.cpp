// The field as a program: serves Modbus slaves until SIGTERM or SIGINT, says on its first line of
// output what and where, and writes every change of every true value to a file.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/json.h"
#include "tests/lab/plant/plant.h"

namespace {

using namespace fieldgate;
using lab::Plant;

constexpr const char* usage =
    "usage: fieldgate-plant [--values power-meter|certified] [--truth FILE]\n"
    "                       [--tcp NAME=UNITS[@PORT]]... [--rtu LINK=UNITS[@BAUD]]...\n"
    "UNITS: 1  1..3  1,4,7.  BAUD: paced at that speed; without, as fast as the pty.\n"
    "First line of output: {\"pid\":N,\"tcp\":{\"NAME\":{\"port\":N,\"units\":[..]}},\n"
    "\"rtu\":{\"LINK\":{\"units\":[..],\"baud\":N}}}. Lines of FILE:\n"
    "{\"time\":UNIX_MS,\"site\":\"NAME or "
    "LINK\",\"unit\":N,\"name\":\"voltage\",\"value\":230.1}\n";

[[noreturn]] void refuse(std::string_view what) {
    std::fprintf(stderr, "fieldgate-plant: %.*s\n%s", static_cast<int>(what.size()), what.data(),
                 usage);
    std::exit(2);
}

struct Place {
    std::string name;
    std::vector<std::uint8_t> units;
    std::uint32_t number = 0;  // after the @
    bool tcp = false;
};

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

void append_units(std::vector<std::uint8_t>& units, std::string_view text) {
    const std::size_t dots = text.find("..");
    const auto from = number(text.substr(0, dots));
    const auto to = dots == std::string_view::npos ? from : number(text.substr(dots + 2));
    if (!from || !to || *from < 1 || *to > 247 || *from > *to) refuse("units are 1 to 247");
    for (std::uint32_t unit = *from; unit <= *to; ++unit)
        units.push_back(static_cast<std::uint8_t>(unit));
}

// NAME=UNITS[@NUMBER]
Place parse_place(std::string_view text, bool tcp) {
    const std::size_t equals = text.rfind('=');
    if (equals == std::string_view::npos) refuse("NAME=UNITS");
    Place place;
    place.tcp = tcp;
    place.name = text.substr(0, equals);
    std::string_view rest = text.substr(equals + 1);
    if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
        const auto given = number(rest.substr(at + 1));
        if (!given) refuse("a number after @");
        place.number = *given;
        rest = rest.substr(0, at);
    }
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        append_units(place.units, rest.substr(0, comma));
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    if (place.units.empty()) refuse("no units");
    return place;
}

struct Options {
    std::vector<Place> places;
    std::string truth;
    Plant::MakeValues values = lab::power_meter_values;
};

Options parse(int count, char** words) {
    Options options;
    for (int i = 1; i < count; i += 2) {
        const std::string_view key = words[i];
        if (i + 1 >= count) refuse("a value is missing");
        const std::string_view value = words[i + 1];
        if (key == "--tcp")
            options.places.push_back(parse_place(value, true));
        else if (key == "--rtu")
            options.places.push_back(parse_place(value, false));
        else if (key == "--truth")
            options.truth = value;
        else if (key == "--values" && value == "certified")
            options.values = lab::certified_values;
        else if (key != "--values" || value != "power-meter")
            refuse(key);
    }
    if (options.places.empty()) refuse("nothing to serve");
    return options;
}

std::string serve(Plant& plant, const Options& options) {
    std::string tcp;
    std::string rtu;
    for (const Place& place : options.places) {
        std::string units;
        for (const std::uint8_t unit : place.units)
            units += (units.empty() ? "" : ",") + std::to_string(unit);
        Plant::Site site{place.name, place.units, options.values, {}};
        std::string& list = place.tcp ? tcp : rtu;
        if (!list.empty()) list += ',';
        json::append_string(list, place.name);
        list += ":{\"units\":[" + units + "],";
        if (place.tcp) {
            const auto port = plant.add_tcp(site, static_cast<std::uint16_t>(place.number));
            list += "\"port\":" + std::to_string(port) + "}";
        } else {
            plant.add_rtu(site, place.name, {place.number, {}});
            list += "\"baud\":" + std::to_string(place.number) + "}";
        }
    }
    return "{\"pid\":" + std::to_string(::getpid()) + ",\"tcp\":{" + tcp + "},\"rtu\":{" + rtu +
           "}}";
}

class TruthFile {
public:
    explicit TruthFile(const std::string& path)
        : file_(path.empty() ? nullptr : std::fopen(path.c_str(), "w")) {
        if (!path.empty() && file_ == nullptr) refuse("cannot write " + path);
    }
    ~TruthFile() {
        if (file_ != nullptr) std::fclose(file_);
    }
    TruthFile(const TruthFile&) = delete;
    TruthFile& operator=(const TruthFile&) = delete;

    void note(const std::string& site, const Plant::Truth& truth, std::int64_t unix_ms) {
        if (file_ == nullptr) return;
        for (const lab::TrueValue& value : truth.values) {
            std::string& last = last_[{site, truth.unit, value.name}];
            if (last == value.json) continue;
            last = value.json;
            // What nobody writes changes with the second.
            const bool written = value.name == "breaker" || value.name == "currentLimit";
            const std::int64_t since = written ? unix_ms : unix_ms / 1000 * 1000;
            std::string line = "{\"time\":" + std::to_string(since) + ",\"site\":";
            json::append_string(line, site);
            line += ",\"unit\":" + std::to_string(truth.unit) + ",\"name\":";
            json::append_string(line, value.name);
            line += ",\"value\":" + value.json + "}\n";
            std::fwrite(line.data(), 1, line.size(), file_);
        }
        std::fflush(file_);
    }

private:
    using Key = std::tuple<std::string, std::uint8_t, std::string>;
    std::FILE* file_;
    std::map<Key, std::string> last_;
};

std::int64_t unix_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

int main(int count, char** words) {
    sigset_t stop;
    ::sigemptyset(&stop);
    ::sigaddset(&stop, SIGTERM);
    ::sigaddset(&stop, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);

    const Options options = parse(count, words);
    TruthFile truth(options.truth);
    Plant plant;
    std::printf("%s\n", serve(plant, options).c_str());
    std::fflush(stdout);
    for (;;) {
        for (const Place& place : options.places) {
            const std::int64_t now = unix_ms();
            const std::vector<Plant::Truth> units = plant.truth(place.name);
            if (unix_ms() / 1000 != now / 1000) continue;  // which second were they of?
            for (const Plant::Truth& unit : units) truth.note(place.name, unit, now);
        }
        const timespec pause{0, 20'000'000};  // values change with the second
        if (::sigtimedwait(&stop, nullptr, &pause) > 0) return 0;
    }
}
