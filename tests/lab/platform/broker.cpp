#include "tests/lab/platform/broker.h"

#include <sys/stat.h>

#include <array>
#include <ctime>

#include "base/expect.h"
#include "tests/lab/platform/downlink.h"

namespace fieldgate::lab {
namespace {

void openssl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "openssl");
    const Finished finished = run(arguments);
    if (finished.code != 0) std::fputs(finished.output.c_str(), stderr);
    expect(finished.code == 0, "the openssl program to do its work");
}

}  // namespace

Pki::Pki(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "30", "-subj", "/CN=Fieldgate lab CA", "-keyout", folder_ / "ca.key", "-out",
             ca()});
    issue("server", "localhost",
          "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
}

void Pki::renew_server(std::int64_t from, std::int64_t until) {
    // An old server's authority is as old.
    const std::filesystem::path request = folder_ / "ca.csr";
    write_file(folder_ / "ca.ext", "basicConstraints=critical,CA:TRUE\n");
    openssl({"x509", "-x509toreq", "-in", ca(), "-signkey", folder_ / "ca.key", "-out", request});
    certify("ca", {"-selfsign"}, 1'546'300'800, 4'070'908'800);  // 2019 to 2099
    certify("server", {"-cert", ca()}, from, until);
}

void Pki::certify(const std::string& file, std::vector<std::string> signer, std::int64_t from,
                  std::int64_t until) {
    const auto text = [](std::time_t at) {
        std::array<char, 32> stamp{};
        std::tm parts{};
        gmtime_r(&at, &parts);
        return std::string(stamp.data(),
                           std::strftime(stamp.data(), stamp.size(), "%Y%m%d%H%M%SZ", &parts));
    };
    const std::filesystem::path book = folder_ / "book";
    write_file(folder_ / "book.db", "");
    write_file(book, "[ca]\ndefault_ca=one\n[one]\ndatabase=" + (folder_ / "book.db").string() +
                         "\nnew_certs_dir=" + folder_.string() +
                         "\nrand_serial=yes\ndefault_md=sha256\npolicy=any\n[any]\n"
                         "commonName=supplied\n");
    std::vector<std::string> words{"ca",
                                   "-batch",
                                   "-notext",
                                   "-config",
                                   book,
                                   "-extfile",
                                   folder_ / (file + ".ext"),
                                   "-keyfile",
                                   folder_ / "ca.key",
                                   "-startdate",
                                   text(from),
                                   "-enddate",
                                   text(until),
                                   "-in",
                                   folder_ / (file + ".csr"),
                                   "-out",
                                   folder_ / (file + ".crt")};
    words.insert(words.end(), signer.begin(), signer.end());
    openssl(std::move(words));
}

Pki::Pair Pki::client(const std::string& device) {
    return issue("client-" + device, device, "extendedKeyUsage=clientAuth\n");
}

Pki::Pair Pki::issue(const std::string& file, const std::string& name,
                     const std::string& extensions) {
    Pair pair{folder_ / (file + ".crt"), folder_ / (file + ".key")};
    const std::filesystem::path request = folder_ / (file + ".csr");
    const std::filesystem::path extension_file = folder_ / (file + ".ext");
    write_file(extension_file, "basicConstraints=CA:FALSE\n" + extensions);
    openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=" + name, "-keyout", pair.key, "-out", request});
    openssl({"x509", "-req", "-in", request, "-CA", ca(), "-CAkey", folder_ / "ca.key",
             "-CAcreateserial", "-days", "30", "-extfile", extension_file, "-out",
             pair.certificate});
    chmod(pair.key.c_str(), 0600);
    return pair;
}

Broker::Broker(Settings settings) : settings_(std::move(settings)), pki_(settings_.folder / "pki") {
    admit(settings_.devices);
    // mosquitto knows no port 0, and a port that was free may be gone when it asks for it.
    bool started = false;
    for (int tries = 0; tries < 5 && !started; ++tries) {
        ports_ = {settings_.port != 0 ? settings_.port : free_port(), free_port(), free_port()};
        started = try_start();
    }
    if (!started) std::fputs(read_file(log()).c_str(), stderr);
    expect(started, "mosquitto to start");
}

void Broker::admit(const Devices& devices) {
    // Written aside and renamed: the plugin reads it at every login.
    const std::filesystem::path file = settings_.folder / "devices";
    write_file(settings_.folder / "devices.new", format_devices(devices));
    chmod((settings_.folder / "devices.new").c_str(), 0600);
    std::filesystem::rename(settings_.folder / "devices.new", file);
}

std::string Broker::configuration() const {
    const auto tls = [this](std::uint16_t port, bool certificates) {
        return "listener " + std::to_string(port) + " 127.0.0.1\nallow_anonymous false\ncafile " +
               pki_.ca().string() + "\ncertfile " + pki_.server_certificate().string() +
               "\nkeyfile " + pki_.server_key().string() + "\ntls_version tlsv1.2\n" +
               (certificates ? "require_certificate true\n" : "") + "plugin " +
               FIELDGATE_AUTH_PLUGIN "\nplugin_opt_devices " +
               (settings_.folder / "devices").string() + "\nplugin_opt_journal " +
               journal().string() + "\n";
    };
    // As root it would become another user, who cannot read our folder.
    return "per_listener_settings true\nuser root\npersistence false\nlog_dest stderr\n"
           "set_tcp_nodelay true\n" +
           tls(ports_[0], false) + tls(ports_[1], true) + "listener " + std::to_string(ports_[2]) +
           " 127.0.0.1\nallow_anonymous true\n";
}

bool Broker::try_start() {
    const std::filesystem::path file = settings_.folder / "mosquitto.conf";
    write_file(file, configuration());
    Child::Options options;
    options.output = log();
    // Debian keeps it in /usr/sbin, which is not in everybody's PATH.
    const bool debian = std::filesystem::exists("/usr/sbin/mosquitto");
    const std::string program = debian ? "/usr/sbin/mosquitto" : "mosquitto";
    child_.emplace(std::vector<std::string>{program, "-c", file}, options);
    const bool listens =
        wait_until([this] { return !child_->running() || can_connect(ports_[2]); });
    return listens && child_->running();
}

void Broker::start() { expect(try_start(), "mosquitto to start again"); }

void Broker::stop() { child_->stop(); }

void Broker::kill() { child_->kill(); }

Result<void> Broker::publish(const std::string& topic, const std::string& payload) const {
    return publish_once(ports_[2], topic, payload);
}

}  // namespace fieldgate::lab
