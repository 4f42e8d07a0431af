// For tests: blocking sockets on 127.0.0.1 that say exactly what they are told to, polite or not.
// Each wait is bounded, so that a broken promise fails a test instead of hanging it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace grapnel::http {

constexpr int kSocketPatienceSeconds = 10;

class RawSocket {
 public:
  explicit RawSocket(int descriptor) : descriptor_(descriptor) {
    const timeval patience{kSocketPatienceSeconds, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int on = 1;
    setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  static RawSocket connect(std::uint16_t port) {
    RawSocket out(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in to = loopback(port);
    if (::connect(out.descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      out.close();
    }
    return out;
  }
  RawSocket(RawSocket&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), ahead_(std::move(other.ahead_)) {}
  RawSocket& operator=(RawSocket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(ahead_, other.ahead_);
    return *this;
  }
  ~RawSocket() { close(); }

  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return out;
  }

  int descriptor() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

  /// False when the peer takes no more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// Up to and including `end`; less when the connection ends or patience does.
  std::string read_until(std::string_view end) {
    while (ahead_.find(end) == std::string::npos) {
      if (!fill()) return std::exchange(ahead_, {});
    }
    return take(ahead_.find(end) + end.size());
  }
  std::string read_bytes(std::size_t bytes) {
    while (ahead_.size() < bytes) {
      if (!fill()) return std::exchange(ahead_, {});
    }
    return take(bytes);
  }
  /// Everything until the peer ends the connection.
  std::string read_to_end() {
    while (fill()) {
    }
    return std::exchange(ahead_, {});
  }
  /// A message with Content-Length, head and body.
  std::string read_message() {
    std::string head = read_until("\r\n\r\n");
    const std::size_t at = head.find("Content-Length: ");
    if (at == std::string::npos) return head;
    return head + read_bytes(std::stoul(head.substr(at + 16)));
  }
  /// Whether the peer has ended the connection, by a reset or not; waits for it.
  bool ended() { return !fill() && last_ != Last::impatient; }
  /// Whether it ended by a reset.
  bool was_reset() const { return last_ == Last::reset; }

  void shutdown_send() { ::shutdown(descriptor_, SHUT_WR); }
  /// Ends the connection with a reset.
  void reset() {
    const linger now{1, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  enum class Last : std::uint8_t { bytes, end, reset, impatient };

  bool fill() {
    std::array<char, 65'536> buffer{};
    const ssize_t got = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (got > 0) {
      ahead_.append(buffer.data(), static_cast<std::size_t>(got));
      return true;
    }
    last_ = got == 0 ? Last::end : errno == EAGAIN ? Last::impatient : Last::reset;
    return false;
  }
  std::string take(std::size_t bytes) {
    std::string out = ahead_.substr(0, bytes);
    ahead_.erase(0, bytes);
    return out;
  }

  int descriptor_;
  std::string ahead_;
  Last last_ = Last::bytes;
};

/// Accepts on a port of the kernel's choice and plays one script per connection, in order, on a
/// thread of its own; joined at the end.
class RawServer {
 public:
  using Script = std::function<void(RawSocket&)>;

  explicit RawServer(std::vector<Script> scripts)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = RawSocket::loopback(0);
    ::bind(listener_.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::listen(listener_.descriptor(), SOMAXCONN);
    socklen_t bytes = sizeof address;
    ::getsockname(listener_.descriptor(), reinterpret_cast<sockaddr*>(&address), &bytes);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, plays = std::move(scripts)] {
      for (const Script& play : plays) {
        const int descriptor = ::accept(listener_.descriptor(), nullptr, nullptr);
        if (descriptor < 0) return;
        RawSocket socket(descriptor);
        play(socket);
      }
    });
  }
  ~RawServer() { thread_.join(); }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view target = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(target);
  }

 private:
  RawSocket listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace grapnel::http
