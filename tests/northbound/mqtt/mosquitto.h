#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>

namespace fieldgate::testing {

/// A folder that goes with its test.
class TempFolder {
public:
    TempFolder();
    ~TempFolder();
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    const std::string& path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

/// Certificates made by openssl(1) in a folder: NAME.crt and NAME.key.
class Pki {
public:
    explicit Pki(const TempFolder& folder) : folder_(folder) {}

    void make_ca(const std::string& name);
    /// `ca`: who signs; its own name: itself. `validity` as below.
    void make_authority(const std::string& name, const std::string& ca,
                        const std::string& validity);
    /// `san` as openssl wants it: "DNS:localhost,IP:127.0.0.1". `validity`: "-days 10", or from and
    /// to of openssl ca: "-startdate ... -enddate ...".
    void make(const std::string& name, const std::string& ca, const std::string& san,
              const std::string& validity = "-days 10");
    /// RSA, and self-signed.
    void make_rsa(const std::string& name, const std::string& san);
    void make_self_signed(const std::string& name, const std::string& san);

private:
    void run(const std::string& command);
    void sign(const std::string& name, const std::string& ca, const std::string& extensions,
              const std::string& validity);
    void request(const std::string& name);

    const TempFolder& folder_;
};

/// A real mosquitto on a port of 127.0.0.1 of its own.
class Mosquitto {
public:
    /// `config`: lines beside listener and user.
    Mosquitto(const TempFolder& folder, std::string config);
    ~Mosquitto();
    Mosquitto(const Mosquitto&) = delete;
    Mosquitto& operator=(const Mosquitto&) = delete;

    std::uint16_t port() const { return port_; }
    /// Returns when it listens.
    void start();
    void kill();

private:
    const TempFolder& folder_;
    std::string config_;
    std::uint16_t port_ = 0;
    pid_t pid_ = -1;
};

}  // namespace fieldgate::testing
