#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace fieldgate {

struct TlsTarget {
    std::string host;  ///< Name or address; what the certificate must be for.
    std::uint16_t port = 0;
    std::string ca_file;           ///< PEM. Empty: no TLS there, only the connection is tried.
    std::string certificate_file;  ///< Our own, PEM, with key_file; empty: none.
    std::string key_file;
    std::chrono::sys_seconds at{};  ///< What time certificates are judged by.
};

/// What of TLS 1.2 is taken: suites with forward secrecy alone; those of TLS 1.3 all have it. No
/// suite of an older version is among them, so that nothing older can be agreed on.
inline constexpr const char* tls_1_2_suites = "ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=2";

/// When the whole of a chain is valid, its authority included.
struct TlsValidity {
    std::chrono::sys_seconds from, until;
};

/// Connects, shakes hands, sends nothing, and says what was wrong: for the log, when a library
/// that failed before does not tell why. nullopt: nothing was.
///
/// Errors: refused (the reason: "certificate signed by an unknown authority", ...), timeout, io
/// (no such host, no connection, an unreadable file). Blocks, up to `patience` and the system's
/// name lookup: on a worker.
std::optional<Error> probe_tls(const TlsTarget& target, std::chrono::milliseconds patience);

/// As probe_tls(), but a certificate may be valid only later than `target.at`: it is judged as if
/// the whole chain had just become valid. For a clock that may be late. Everything else must hold:
/// who signed, for which host, and that nothing has expired by then or by `target.at`.
Result<TlsValidity> examine_tls(const TlsTarget& target, std::chrono::milliseconds patience);

/// "2026-11-27 21:00 UTC"
std::string minute_text(std::chrono::sys_seconds at);

}  // namespace fieldgate
