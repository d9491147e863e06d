#include "tests/northbound/mqtt/mosquitto.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace fieldgate::testing {
namespace {

sockaddr_in local(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// mosquitto has no port 0.
std::uint16_t free_port() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = local(0);
    socklen_t size = sizeof address;
    bind(fd, reinterpret_cast<sockaddr*>(&address), size);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    close(fd);
    return ntohs(address.sin_port);
}

bool listens(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = local(port);
    const bool connected =
        connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    return connected;
}

}  // namespace

TempFolder::TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "fieldgate-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    path_ = name;
}

TempFolder::~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void Pki::run(const std::string& command) {
    const std::string quiet = "cd " + folder_.path() + " && " + command + " >>openssl.log 2>&1";
    if (std::system(quiet.c_str()) != 0) throw std::runtime_error(command);
}

void Pki::request(const std::string& name) {
    run("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout " + name +
        ".key -subj /CN=" + name + " -out " + name + ".csr");
}

void Pki::make_ca(const std::string& name) {
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout " +
        name + ".key -subj /CN=" + name + " -days 10 -out " + name + ".crt");
}

void Pki::make_authority(const std::string& name, const std::string& ca,
                         const std::string& validity) {
    request(name);
    sign(name, ca, "basicConstraints=critical,CA:TRUE", validity);
}

void Pki::make(const std::string& name, const std::string& ca, const std::string& san,
               const std::string& validity) {
    request(name);
    sign(name, ca, "subjectAltName=" + san, validity);
}

void Pki::sign(const std::string& name, const std::string& ca, const std::string& extensions,
               const std::string& validity) {
    std::ofstream(folder_ / (name + ".cnf"))
        << "[ca]\ndefault_ca=one\n[one]\ndatabase=" << name << ".db\nserial=" << name
        << ".serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n"
        << "[ext]\n"
        << extensions << "\n";
    std::ofstream(folder_ / (name + ".db")).flush();
    std::ofstream(folder_ / (name + ".serial")) << "01\n";
    const std::string by = ca == name ? "-selfsign" : "-cert " + ca + ".crt";
    run("openssl ca -batch -notext -config " + name + ".cnf -extensions ext " + by + " -keyfile " +
        ca + ".key " + validity + " -in " + name + ".csr -out " + name + ".crt");
}

void Pki::make_self_signed(const std::string& name, const std::string& san) {
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout " +
        name + ".key -subj /CN=" + name + " -addext subjectAltName=" + san +
        " -addext basicConstraints=CA:FALSE -days 10 -out " + name + ".crt");
}

void Pki::make_rsa(const std::string& name, const std::string& san) {
    run("openssl req -x509 -newkey rsa:2048 -nodes -keyout " + name + ".key -subj /CN=" + name +
        " -addext subjectAltName=" + san + " -days 10 -out " + name + ".crt");
}

Mosquitto::Mosquitto(const TempFolder& folder, std::string config)
    : folder_(folder), config_(std::move(config)), port_(free_port()) {
    start();
}

Mosquitto::~Mosquitto() { kill(); }

void Mosquitto::start() {
    using namespace std::chrono_literals;
    for (int attempt = 0; attempt < 5; ++attempt) {
        const std::string file = folder_ / "mosquitto.conf";
        // As root it would drop to a user that cannot read the keys here.
        std::ofstream(file) << "user root\nlistener " << port_ << " 127.0.0.1\n" << config_ << "\n";
        const std::string log = folder_ / "mosquitto.log";
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                         0600);
        posix_spawn_file_actions_adddup2(&actions, 1, 2);
        std::string program = "mosquitto";
        std::string option = "-c";
        std::string path = file;
        std::array<char*, 4> arguments{program.data(), option.data(), path.data(), nullptr};
        setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
        const int rc =
            posix_spawnp(&pid_, "mosquitto", &actions, nullptr, arguments.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        if (rc != 0) throw std::runtime_error("mosquitto is not installed");
        while (waitpid(pid_, nullptr, WNOHANG) == 0) {
            if (listens(port_)) return;
            std::this_thread::sleep_for(5ms);
        }
        pid_ = -1;  // somebody was faster with that port
        port_ = free_port();
    }
    throw std::runtime_error("mosquitto does not start");
}

void Mosquitto::kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

}  // namespace fieldgate::testing
