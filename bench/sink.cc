// A webhook receiver that costs little: one thread, epoll, every request answered 200 at once. It
// prints its port. Ends on SIGTERM or when stdin closes; then it prints how many requests came, and
// of bodies that begin with {"ns":<CLOCK_MONOTONIC when they were due> the median and the 99th
// percentile of their way here, in microseconds.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct Peer {
  std::string in;
};

/// Bytes of the first whole request in `in`, 0 when it is not whole.
std::size_t request_size(std::string_view in) {
  const auto end = in.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  std::size_t length = 0;
  for (const std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
    const auto at = in.find(name);
    if (at == std::string_view::npos || at > end) continue;
    const char* first = in.data() + at + name.size();
    std::from_chars(first, in.data() + end, length);
  }
  return in.size() >= end + 4 + length ? end + 4 + length : 0;
}

/// Microseconds since the request's body was made, if it says when.
std::optional<std::uint32_t> way_of(std::string_view request) {
  static constexpr std::string_view kStart = "\r\n\r\n{\"ns\":";
  const auto at = request.find(kStart);
  if (at == std::string_view::npos) return std::nullopt;
  std::int64_t sent = 0;
  const char* first = request.data() + at + kStart.size();
  if (std::from_chars(first, request.data() + request.size(), sent).ec != std::errc{}) {
    return std::nullopt;
  }
  const auto now = Clock::now().time_since_epoch();
  return static_cast<std::uint32_t>(
      (std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() - sent) / 1'000);
}

class Sink {
 public:
  Sink() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 1024) != 0) {
      std::perror("bench_sink: listen");
      std::exit(1);
    }
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    epoll_ = ::epoll_create1(0);
    watch(listener_);
    watch(STDIN_FILENO);
  }

  void run() {
    epoll_event events[256];
    while (!ended_) {
      const int count = ::epoll_wait(epoll_, events, 256, -1);
      for (int i = 0; i < count; ++i) handle(events[i].data.fd);
    }
    std::ranges::sort(ways_);
    const auto quantile = [this](std::size_t percent) {
      return ways_.empty() ? 0U : ways_[ways_.size() * percent / 100];
    };
    std::printf("%llu %u %u\n", static_cast<unsigned long long>(requests_), quantile(50),
                quantile(99));
  }

 private:
  void watch(int descriptor) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
  }

  void handle(int descriptor) {
    if (descriptor == STDIN_FILENO) {
      char ignored[64];
      if (::read(STDIN_FILENO, ignored, sizeof ignored) <= 0) ended_ = true;
      return;
    }
    if (descriptor == listener_) {
      int peer = 0;
      while ((peer = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0) {
        const int yes = 1;
        ::setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        peers_[peer];
        watch(peer);
      }
      return;
    }
    read_from(descriptor);
  }

  void read_from(int descriptor) {
    Peer& peer = peers_[descriptor];
    char buffer[65536];
    const ssize_t got = ::read(descriptor, buffer, sizeof buffer);
    if (got <= 0) {
      if (got < 0 && errno == EAGAIN) return;
      ::close(descriptor);
      peers_.erase(descriptor);
      return;
    }
    peer.in.append(buffer, static_cast<std::size_t>(got));
    while (const std::size_t size = request_size(peer.in)) {
      if (const auto way = way_of(std::string_view(peer.in).substr(0, size))) ways_.push_back(*way);
      peer.in.erase(0, size);
      ++requests_;
      send_answer(descriptor);
    }
  }

  static void send_answer(int descriptor) {
    [[maybe_unused]] const ssize_t sent =
        ::send(descriptor, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
  }

  int listener_ = -1;
  int epoll_ = -1;
  bool ended_ = false;
  std::uint64_t requests_ = 0;
  std::vector<std::uint32_t> ways_;
  std::unordered_map<int, Peer> peers_;
};

}  // namespace

int main() {
  Sink sink;
  sink.run();
  return 0;
}
