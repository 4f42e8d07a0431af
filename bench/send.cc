// A webhook sender that costs little: one thread, epoll, connections kept.
//
//   bench_send PORT PATH RATE SECONDS CONNECTIONS BYTES
//
// RATE a second in all, each due at its time: one whose connection still waits for an answer goes
// late, and its latency counts from when it was due. RATE 0: each connection sends its next when
// the last was answered. Bodies have BYTES bytes and begin with {"ns":<CLOCK_MONOTONIC when due>.
// Prints how many were answered 2xx, how many otherwise, how many had no answer 5 s after the end,
// and the median and 99th percentile of the answers in microseconds.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Plan {
  std::uint16_t port = 0;
  std::string path;
  double rate = 0;
  int seconds = 0;
  int connections = 0;
  std::size_t bytes = 0;
};

struct Peer {
  int descriptor = -1;
  Clock::time_point due;
  bool busy = false;
  std::string head;
  std::size_t fill_bytes = 0;
  std::size_t sent = 0;  // of all parts together
  std::string in;
};

std::int64_t nanoseconds(Clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

class Sender {
 public:
  explicit Sender(Plan plan)
      : plan_(std::move(plan)),
        filler_(plan_.bytes, 'x'),
        began_(Clock::now()),
        end_(began_ + std::chrono::seconds(plan_.seconds)),
        epoll_(::epoll_create1(0)),
        peers_(static_cast<std::size_t>(plan_.connections)) {
    for (std::size_t i = 0; i < peers_.size(); ++i) connect(i);
  }

  void run() {
    epoll_event events[256];
    for (;;) {
      const auto now = Clock::now();
      const bool over = now >= end_;
      bool busy = false;
      auto next = end_;
      for (Peer& peer : peers_) {
        if (!peer.busy && !over && peer.due <= now) begin(peer, now);
        busy = busy || peer.busy;
        if (!peer.busy) next = std::min(next, peer.due);
      }
      if (over && (!busy || now >= end_ + std::chrono::seconds(5))) return;
      const auto left = over ? std::chrono::nanoseconds(100'000'000) : next - now;
      const timespec wait{.tv_sec = left / std::chrono::seconds(1),
                          .tv_nsec = (left % std::chrono::seconds(1)).count()};
      const int count = ::epoll_pwait2(epoll_, events, 256, &wait, nullptr);
      for (int i = 0; i < count; ++i) handle(peers_[events[i].data.u64], events[i].events);
    }
  }

  void report() {
    std::ranges::sort(latencies_);
    const auto quantile = [this](std::size_t percent) {
      return latencies_.empty() ? 0U : latencies_[latencies_.size() * percent / 100];
    };
    const auto open = std::ranges::count_if(peers_, [](const Peer& peer) { return peer.busy; });
    std::printf("%zu %zu %td %u %u\n", latencies_.size(), refused_, open, quantile(50),
                quantile(99));
  }

 private:
  void connect(std::size_t index) {
    Peer& peer = peers_[index];
    peer.descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(plan_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(peer.descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      std::perror("bench_send: connect");
      std::exit(1);
    }
    const int yes = 1;
    ::setsockopt(peer.descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u64 = index;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, peer.descriptor, &event);
    peer.due = began_;
    if (plan_.rate > 0) {
      peer.due += std::chrono::nanoseconds(
          static_cast<std::int64_t>(1e9 * static_cast<double>(index) / plan_.rate));
    }
  }

  void begin(Peer& peer, Clock::time_point now) {
    if (plan_.rate <= 0) peer.due = now;
    const std::string start = "{\"ns\":" + std::to_string(nanoseconds(peer.due)) + ",\"fill\":\"";
    peer.head = "POST " + plan_.path + " HTTP/1.1\r\nHost: bench\r\nContent-Length: " +
                std::to_string(std::max(plan_.bytes, start.size() + 2)) + "\r\n\r\n" + start;
    peer.fill_bytes = std::max(plan_.bytes, start.size() + 2) - start.size() - 2;
    peer.sent = 0;
    peer.busy = true;
    push(peer);
  }

  void push(Peer& peer) {
    if (!peer.busy) return;
    const std::string_view parts[] = {peer.head,
                                      std::string_view(filler_).substr(0, peer.fill_bytes), "\"}"};
    std::size_t before = 0;
    for (const auto part : parts) {
      while (peer.sent < before + part.size()) {
        const auto rest = part.substr(peer.sent - before);
        const ssize_t done =
            ::send(peer.descriptor, rest.data(), rest.size(),
                   MSG_NOSIGNAL | MSG_DONTWAIT | (part.data() == parts[2].data() ? 0 : MSG_MORE));
        if (done < 0 && errno == EAGAIN) return;
        if (done <= 0) {
          std::perror("bench_send: send");
          std::exit(1);
        }
        peer.sent += static_cast<std::size_t>(done);
      }
      before += part.size();
    }
  }

  void handle(Peer& peer, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) push(peer);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
    char buffer[65536];
    ssize_t got = 0;
    while ((got = ::recv(peer.descriptor, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
      peer.in.append(buffer, static_cast<std::size_t>(got));
    }
    if (got == 0) {
      std::fprintf(stderr, "bench_send: the connection was closed\n");
      std::exit(1);
    }
    if (!take_answer(peer)) return;
    if (plan_.rate > 0) {
      peer.due += std::chrono::nanoseconds(
          static_cast<std::int64_t>(1e9 * static_cast<double>(peers_.size()) / plan_.rate));
    }
  }

  /// Whether a whole answer was there.
  bool take_answer(Peer& peer) {
    const auto head = peer.in.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    static constexpr std::string_view kLength = "\r\nContent-Length: ";
    const auto at = peer.in.find(kLength);
    const std::size_t length =
        at < head ? std::strtoull(peer.in.c_str() + at + kLength.size(), nullptr, 10) : 0;
    if (peer.in.size() < head + 4 + length) return false;
    if (peer.in.starts_with("HTTP/1.1 2")) {
      latencies_.push_back(static_cast<std::uint32_t>(nanoseconds(Clock::now()) / 1'000 -
                                                      nanoseconds(peer.due) / 1'000));
    } else {
      ++refused_;
    }
    peer.in.erase(0, head + 4 + length);
    peer.busy = false;
    return true;
  }

  const Plan plan_;
  const std::string filler_;
  const Clock::time_point began_;
  const Clock::time_point end_;
  const int epoll_;
  std::size_t refused_ = 0;
  std::vector<Peer> peers_;
  std::vector<std::uint32_t> latencies_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: bench_send PORT PATH RATE SECONDS CONNECTIONS BYTES\n");
    return EXIT_FAILURE;
  }
  Sender sender({.port = static_cast<std::uint16_t>(std::atoi(argv[1])),
                 .path = argv[2],
                 .rate = std::atof(argv[3]),
                 .seconds = std::atoi(argv[4]),
                 .connections = std::atoi(argv[5]),
                 .bytes = static_cast<std::size_t>(std::atoll(argv[6]))});
  sender.run();
  sender.report();
  return EXIT_SUCCESS;
}
