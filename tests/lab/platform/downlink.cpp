#include "tests/lab/platform/downlink.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <atomic>

namespace fieldgate::lab {
namespace {

class Socket {
public:
    explicit Socket(std::uint16_t port)
        : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const timeval patience{5, 0};
        setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ =
            connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
    ~Socket() { close(descriptor_); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    bool connected() const { return connected_; }
    bool send_all(const std::string& bytes) const {
        std::size_t sent = 0;
        while (sent < bytes.size()) {
            const ssize_t count =
                send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
            if (count <= 0) return false;
            sent += static_cast<std::size_t>(count);
        }
        return true;
    }
    /// CONNACK and PUBACK are both four bytes.
    bool receive(std::array<unsigned char, 4>& bytes) const {
        return recv(descriptor_, bytes.data(), bytes.size(), MSG_WAITALL) ==
               static_cast<ssize_t>(bytes.size());
    }

private:
    int descriptor_;
    bool connected_ = false;
};

std::string text_field(const std::string& text) {
    std::string out;
    out += static_cast<char>(text.size() >> 8U);
    out += static_cast<char>(text.size() & 0xFFU);
    return out + text;
}

std::string packet(char type, const std::string& body) {
    std::string out(1, type);
    std::size_t left = body.size();
    do {
        const std::size_t digit = left & 0x7FU;
        left >>= 7U;
        out += static_cast<char>(left > 0 ? digit | 0x80U : digit);
    } while (left > 0);
    return out + body;
}

std::string unique_name() {
    static std::atomic<unsigned> count{0};
    return "lab-" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

}  // namespace

bool can_connect(std::uint16_t port) { return Socket(port).connected(); }

Result<void> publish_once(std::uint16_t port, const std::string& topic,
                          const std::string& payload) {
    const Socket socket(port);
    if (!socket.connected()) return Error(Errc::closed, "the broker does not listen");
    std::array<unsigned char, 4> answer{};
    const std::string clean_session_keep_alive_60{"\x04\x02\x00\x3c", 4};
    const std::string hello = packet(
        '\x10', text_field("MQTT") + clean_session_keep_alive_60 + text_field(unique_name()));
    if (!socket.send_all(hello) || !socket.receive(answer))
        return Error(Errc::timeout, "no CONNACK");
    if (answer[0] != 0x20 || answer[3] != 0) return Error(Errc::refused, "CONNACK");
    const std::string packet_id{"\x00\x01", 2};
    if (!socket.send_all(packet('\x32', text_field(topic) + packet_id + payload)) ||
        !socket.receive(answer) || answer[0] != 0x40)
        return Error(Errc::timeout, "no PUBACK");
    const std::string goodbye{"\xe0\x00", 2};
    socket.send_all(goodbye);
    return {};
}

}  // namespace fieldgate::lab
