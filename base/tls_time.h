#pragma once
#include <chrono>

namespace fieldgate {

/// From now on, every certificate of a server that anybody in this process verifies with OpenSSL
/// is judged as of `at`, and not by the system clock: for a library that keeps its SSL_CTX to
/// itself. What brings a time of its own (tls_probe.h) is not touched.
///
/// Set before a handshake, on the thread that then begins it. A handshake that runs meanwhile on
/// another thread takes the old time or the new one: nobody may rely on its verdict.
void judge_certificates_at(std::chrono::sys_seconds at);

}  // namespace fieldgate
