#include "base/tls_probe.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <limits>
#include <memory>
#include <system_error>

namespace fieldgate {
namespace {

using Clock = std::chrono::steady_clock;

// In TLS 1.3 a server that misses our certificate says so after the handshake.
constexpr std::chrono::milliseconds last_word_within{1000};

template <class T, void (*free_it)(T*)>
struct Free {
    void operator()(T* it) const { free_it(it); }
};
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX, SSL_CTX_free>>;
using Tls = std::unique_ptr<SSL, Free<SSL, SSL_free>>;
using Addresses = std::unique_ptr<addrinfo, Free<addrinfo, freeaddrinfo>>;

class Socket {
public:
    explicit Socket(int fd) : fd_(fd) {}
    ~Socket() {
        if (fd_ >= 0) close(fd_);
    }
    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Socket& operator=(Socket&&) = delete;
    int fd() const { return fd_; }

private:
    int fd_;
};

std::string errno_text(int code) { return std::generic_category().message(code); }

// True once `fd` is ready for `events`; false at the deadline.
bool ready(int fd, short events, Clock::time_point deadline) {
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0) return false;
        pollfd one{fd, events, 0};
        const int count = poll(&one, 1, static_cast<int>(left));
        if (count > 0) return true;
        if (count < 0 && errno != EINTR) return false;
    }
}

Result<Addresses> look_up(const TlsTarget& target) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int rc =
        getaddrinfo(target.host.c_str(), std::to_string(target.port).c_str(), &hints, &found);
    if (rc != 0) return Error(Errc::io, target.host + ": " + gai_strerror(rc));
    return Addresses(found);
}

Result<Socket> connect_to(const addrinfo& address, Clock::time_point deadline) {
    Socket socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket.fd() < 0) return Error(Errc::io, errno_text(errno));
    if (connect(socket.fd(), address.ai_addr, address.ai_addrlen) == 0) return socket;
    if (errno != EINPROGRESS) return Error(Errc::io, errno_text(errno));
    if (!ready(socket.fd(), POLLOUT, deadline))
        return Error(Errc::timeout, "no answer to the connection request");
    int failure = 0;
    socklen_t size = sizeof failure;
    getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) return Error(Errc::io, errno_text(failure));
    return socket;
}

Result<Socket> connect_to(const TlsTarget& target, Clock::time_point deadline) {
    const Result<Addresses> addresses = look_up(target);
    if (!addresses) return addresses.error();
    Error last(Errc::io, "no address");
    for (const addrinfo* one = addresses->get(); one != nullptr; one = one->ai_next) {
        Result<Socket> socket = connect_to(*one, deadline);
        if (socket) return socket;
        last = socket.error();
    }
    last.what = target.host + ": " + last.what;
    return last;
}

bool is_address(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
           inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

std::string openssl_text(unsigned long code) {
    const char* reason = ERR_reason_error_string(code);
    return reason ? reason : "unknown TLS failure";
}

std::optional<std::chrono::sys_seconds> date_of(const ASN1_TIME* time) {
    tm parts{};
    if (!time || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
    using namespace std::chrono;
    const year_month_day day = year(parts.tm_year + 1900) /
                               month(static_cast<unsigned>(parts.tm_mon + 1)) /
                               std::chrono::day(static_cast<unsigned>(parts.tm_mday));
    return sys_days(day) + hours(parts.tm_hour) + minutes(parts.tm_min) + seconds(parts.tm_sec);
}

std::string date_text(const ASN1_TIME* time) {
    const auto date = date_of(time);
    return date ? minute_text(*date) : "?";
}

// What is to be kept of a handshake: OpenSSL forgets the certificate that failed with it.
struct Sight {
    bool early_is_well = false;
    std::string not_before, not_after;  // of the certificate that failed
};

// As OpenSSL calls it for each certificate of the chain, and for each thing wrong with it.
int look(int good, X509_STORE_CTX* store) {
    auto* const tls =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* const sight = static_cast<Sight*>(SSL_get_ex_data(tls, 0));
    const X509* const failed = X509_STORE_CTX_get_current_cert(store);
    if (good == 1 || !sight || !failed) return good;
    if (sight->early_is_well && X509_STORE_CTX_get_error(store) == X509_V_ERR_CERT_NOT_YET_VALID) {
        X509_STORE_CTX_set_error(store, X509_V_OK);  // of the rest it says what is wrong
        return 1;
    }
    sight->not_before = date_text(X509_get0_notBefore(failed));
    sight->not_after = date_text(X509_get0_notAfter(failed));
    return good;
}

// The store's time goes before that of judge_certificates_at().
void judge_at(SSL_CTX* context, std::chrono::sys_seconds at) {
    constexpr std::time_t last = std::numeric_limits<std::time_t>::max();
    const auto seconds = std::min<std::int64_t>(at.time_since_epoch().count(), last);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(SSL_CTX_get_cert_store(context)),
                               static_cast<std::time_t>(seconds));
}

Result<Context> make_context(const TlsTarget& target) {
    Context context(SSL_CTX_new(TLS_client_method()));
    if (!context) return Error(Errc::io, "no TLS context");
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context.get(), tls_1_2_suites);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, &look);
    judge_at(context.get(), target.at);
    if (SSL_CTX_load_verify_locations(context.get(), target.ca_file.c_str(), nullptr) != 1)
        return Error(Errc::io,
                     target.ca_file + ": no CA certificates: " + openssl_text(ERR_peek_error()));
    if (target.certificate_file.empty()) return context;
    if (SSL_CTX_use_certificate_chain_file(context.get(), target.certificate_file.c_str()) != 1)
        return Error(Errc::io, target.certificate_file +
                                   ": no certificate: " + openssl_text(ERR_peek_error()));
    if (SSL_CTX_use_PrivateKey_file(context.get(), target.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
        return Error(Errc::io, target.key_file + ": no key for the certificate: " +
                                   openssl_text(ERR_peek_error()));
    return context;
}

// What was wrong with the server's certificate, as verified against the CA file and the host name.
std::string verify_text(const Sight& sight, const TlsTarget& target, long verdict) {
    const std::string our_clock = " (by our clock it is " + minute_text(target.at) + ")";
    switch (verdict) {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
            return "certificate signed by an unknown authority (not in " + target.ca_file + ")";
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return "certificate is self-signed";
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return "certificate expired on " + sight.not_after + our_clock;
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return "certificate not valid before " + sight.not_before + our_clock;
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return "certificate is for another host than " + target.host;
        default:
            return std::string("certificate: ") + X509_verify_cert_error_string(verdict);
    }
}

// What the server said, or what was wrong with what it said.
std::string refusal_text(unsigned long code, bool shown, bool with_certificate) {
    const std::string ours = "the server refused our client certificate: ";
    switch (ERR_GET_REASON(code)) {
        case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
            return "the server requires a client certificate";
        case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
            // Before its own certificate: it had not yet come to ours.
            if (!shown)
                return "the server has no cipher suite that we take (ECDHE with AES-GCM or "
                       "ChaCha20)";
            if (with_certificate) return "the server refused the handshake";
            return "the server refused the handshake (does it require a client certificate?)";
        case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
        case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
            return ours + openssl_text(code);
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
            return "the server has no TLS 1.2 or later";
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_HTTP_REQUEST:
            return "the server does not speak TLS on this port";
        default:
            return "TLS handshake: " + openssl_text(code);
    }
}

Error failure_of(const SSL* tls, const TlsTarget& target, const Sight& sight, int status) {
    const long verdict = SSL_get_verify_result(tls);
    if (verdict != X509_V_OK) return Error(Errc::refused, verify_text(sight, target, verdict));
    const unsigned long code = ERR_peek_last_error();
    if (status == SSL_ERROR_SSL && code != 0 &&
        ERR_GET_REASON(code) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return Error(Errc::refused, refusal_text(code, SSL_get0_peer_certificate(tls) != nullptr,
                                                 !target.certificate_file.empty()));
    return Error(Errc::io, "the server closed the connection during the TLS handshake");
}

// Repeats `step` as OpenSSL wants it; SSL_ERROR_NONE, SSL_ERROR_SSL..., or nullopt at the deadline.
template <class Step>
std::optional<int> turn(SSL* tls, int fd, Clock::time_point deadline, Step step) {
    for (;;) {
        ERR_clear_error();
        const int rc = step();
        const int status = SSL_get_error(tls, rc);
        if (status != SSL_ERROR_WANT_READ && status != SSL_ERROR_WANT_WRITE) return status;
        const short events = status == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
        if (!ready(fd, events, deadline)) return std::nullopt;
    }
}

void expect_host(SSL* tls, const std::string& host) {
    if (is_address(host)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host.c_str());
        return;
    }
    SSL_set1_host(tls, host.c_str());
    // SSL_set_tlsext_host_name() is a macro with an old-style cast.
    SSL_ctrl(tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(host.c_str()));
}

void keep_sigpipe_away() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

// Of the chain that was taken.
std::optional<TlsValidity> validity_of(const SSL* tls) {
    const STACK_OF(X509)* const chain = SSL_get0_verified_chain(tls);
    if (!chain || sk_X509_num(chain) == 0) return std::nullopt;
    TlsValidity validity{std::chrono::sys_seconds::min(), std::chrono::sys_seconds::max()};
    for (int i = 0; i < sk_X509_num(chain); ++i) {
        const X509* const one = sk_X509_value(chain, i);
        const auto from = date_of(X509_get0_notBefore(one));
        const auto until = date_of(X509_get0_notAfter(one));
        if (!from || !until) return std::nullopt;
        validity.from = std::max(validity.from, *from);
        validity.until = std::min(validity.until, *until);
    }
    return validity;
}

// A handshake with `target`.
class Handshake {
public:
    static Result<Handshake> begin(const TlsTarget& target, Clock::time_point deadline,
                                   bool early_is_well) {
        Result<Context> context = make_context(target);
        if (!context) return context.error();
        Result<Socket> socket = connect_to(target, deadline);
        if (!socket) return socket.error();
        Handshake made(target, std::move(*context), std::move(*socket), deadline);
        made.sight_->early_is_well = early_is_well;
        const auto shaken = made.turn([&] { return SSL_connect(made.tls_.get()); });
        if (!shaken) return Error(Errc::timeout, "the TLS handshake stalls");
        if (*shaken != SSL_ERROR_NONE) return made.failure(*shaken);
        return made;
    }

    // What the server still has to say, if it says it soon.
    std::optional<Error> last_word(Clock::time_point deadline) {
        std::array<char, 1> byte{};
        deadline_ = std::min(deadline_, deadline);
        const auto said = turn([&] { return SSL_read(tls_.get(), byte.data(), 1); });
        return said == SSL_ERROR_SSL ? std::optional(failure(*said)) : std::nullopt;
    }

    std::optional<TlsValidity> validity() const { return validity_of(tls_.get()); }

private:
    Handshake(const TlsTarget& target, Context context, Socket socket, Clock::time_point deadline)
        : target_(&target),
          context_(std::move(context)),
          socket_(std::move(socket)),
          tls_(SSL_new(context_.get())),
          deadline_(deadline) {
        SSL_set_ex_data(tls_.get(), 0, sight_.get());
        SSL_set_fd(tls_.get(), socket_.fd());
        expect_host(tls_.get(), target.host);
    }

    template <class Step>
    std::optional<int> turn(Step step) {
        return fieldgate::turn(tls_.get(), socket_.fd(), deadline_, step);
    }
    Error failure(int status) const { return failure_of(tls_.get(), *target_, *sight_, status); }

    const TlsTarget* target_;
    std::unique_ptr<Sight> sight_ = std::make_unique<Sight>();
    Context context_;
    Socket socket_;
    Tls tls_;
    Clock::time_point deadline_;
};

}  // namespace

std::string minute_text(std::chrono::sys_seconds at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(at - day);
    std::array<char, 48> text{};
    const int size = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02u %02d:%02d UTC", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()));
    return std::string(text.data(), static_cast<std::size_t>(size));
}

std::optional<Error> probe_tls(const TlsTarget& target, std::chrono::milliseconds patience) {
    keep_sigpipe_away();
    const auto deadline = Clock::now() + patience;
    ERR_clear_error();
    if (target.ca_file.empty()) {
        const Result<Socket> socket = connect_to(target, deadline);
        return socket ? std::nullopt : std::optional(socket.error());
    }
    Result<Handshake> made = Handshake::begin(target, deadline, false);
    if (!made) return made.error();
    return made->last_word(Clock::now() + last_word_within);
}

Result<TlsValidity> examine_tls(const TlsTarget& target, std::chrono::milliseconds patience) {
    keep_sigpipe_away();
    ERR_clear_error();
    const Result<Handshake> made = Handshake::begin(target, Clock::now() + patience, true);
    if (!made) return made.error();
    const std::optional<TlsValidity> validity = made->validity();
    if (!validity) return Error(Errc::refused, "certificate: no chain with dates");
    // OpenSSL has looked at target.at; what expires before the rest begins is never valid.
    if (validity->from >= validity->until)
        return Error(Errc::refused, "certificate expired on " + minute_text(validity->until) +
                                        ", before another of its chain became valid");
    return *validity;
}

}  // namespace fieldgate
