// For tests: a name server on 127.0.0.1 that knows a few names, silent or failing where asked to
// be.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "drivers/http/cidr.h"
#include "drivers/http/raw_socket.h"

namespace grapnel::http {

struct Zone {
  std::vector<std::string> v4;
  std::vector<std::string> v6;
  std::uint32_t ttl = 30;
  int rcode = 0;
  bool silent = false;
  std::vector<std::string> later_v4 = {};  ///< from the second question on, where there are any
};

class NameServer {
 public:
  explicit NameServer(std::map<std::string, Zone> zones)
      : zones_(std::move(zones)), socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = RawSocket::loopback(0);
    ::bind(socket_.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    socklen_t bytes = sizeof address;
    ::getsockname(socket_.descriptor(), reinterpret_cast<sockaddr*>(&address), &bytes);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~NameServer() {
    const sockaddr_in to = RawSocket::loopback(port_);
    ::sendto(socket_.descriptor(), "", 0, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    thread_.join();
  }
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  std::string name() const { return "127.0.0.1:" + std::to_string(port_); }
  int questions() const { return questions_; }

 private:
  void serve() {
    for (;;) {
      std::array<char, 1'500> packet{};
      sockaddr_in from{};
      socklen_t bytes = sizeof from;
      const ssize_t got = ::recvfrom(socket_.descriptor(), packet.data(), packet.size(), 0,
                                     reinterpret_cast<sockaddr*>(&from), &bytes);
      if (got == 0) return;
      if (got < 12) continue;
      ++questions_;
      const std::string reply = answer({packet.data(), static_cast<std::size_t>(got)});
      if (reply.empty()) continue;
      ::sendto(socket_.descriptor(), reply.data(), reply.size(), 0,
               reinterpret_cast<const sockaddr*>(&from), sizeof from);
    }
  }
  static void put(std::string& out, std::uint32_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
      out += static_cast<char>(value >> shift);
    }
  }
  std::string answer(const std::string& question) {
    std::string name;
    std::size_t at = 12;
    while (at < question.size() && question[at] != 0) {
      const auto label = static_cast<std::size_t>(question[at]);
      if (!name.empty()) name += '.';
      name += question.substr(at + 1, label);
      at += label + 1;
    }
    const std::size_t end = at + 5;
    if (end > question.size()) return {};
    const bool wants_v6 = question[at + 2] == 28;
    const auto zone = zones_.find(name);
    const Zone known = zone == zones_.end() ? Zone{.v4 = {}, .v6 = {}, .rcode = 3} : zone->second;
    if (known.silent) return {};
    const bool later = !wants_v6 && !known.later_v4.empty() && asked_v4_[name]++ > 0;
    const auto& records = wants_v6 ? known.v6 : later ? known.later_v4 : known.v4;
    std::string out = question.substr(0, 2);
    put(out, 0x8180u | static_cast<unsigned>(known.rcode), 2);
    put(out, 1, 2);
    put(out, static_cast<std::uint32_t>(records.size()), 2);
    put(out, 0, 4);
    out += question.substr(12, end - 12);
    for (const auto& text : records) {
      const auto bytes = IpAddress::parse(text)->bytes();
      const int size = wants_v6 ? 16 : 4;
      put(out, 0xC00C, 2);
      put(out, wants_v6 ? 28 : 1, 2);
      put(out, 1, 2);
      put(out, known.ttl, 4);
      put(out, static_cast<std::uint32_t>(size), 2);
      out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size));
    }
    return out;
  }

  std::map<std::string, Zone> zones_;
  std::map<std::string, int> asked_v4_;  // the thread's
  RawSocket socket_;
  std::uint16_t port_ = 0;
  std::atomic<int> questions_ = 0;
  std::thread thread_;
};

}  // namespace grapnel::http
