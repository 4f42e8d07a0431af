// c-ares on an Asio loop: its sockets are watched through descriptors that it keeps owning, its
// time-outs by one timer. Callbacks only; Resolver makes coroutines, sharing and caching of it.
#pragma once

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "drivers/http/cidr.h"

struct ares_channeldata;
struct ares_addrinfo;

namespace grapnel::http {

struct DnsAnswer {
  Result<std::vector<IpAddress>> addresses;  ///< not empty
  std::chrono::seconds ttl{0};               ///< how long it may be kept, within our bounds
};

class DnsChannel : public std::enable_shared_from_this<DnsChannel> {
 public:
  using Done = std::function<void(DnsAnswer)>;

  /// Throws std::runtime_error.
  static std::shared_ptr<DnsChannel> open(async::Executor executor, const std::string& name_servers,
                                          std::chrono::milliseconds server_timeout, int tries);
  ~DnsChannel();
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;

  /// `done` is called once, perhaps before this returns; by close() at the latest.
  void ask(const std::string& host, Done done);
  /// Ends every question. Nothing may be asked afterwards.
  void close();

 private:
  struct Socket;

  explicit DnsChannel(async::Executor executor);
  static void on_socket_state(void* self, int descriptor, int readable, int writable);
  static void on_answer(void* question, int status, int timeouts, ares_addrinfo* found);
  void watch(int descriptor, int readable, int writable);
  void wait_on(const std::shared_ptr<Socket>& socket);
  void process(int readable, int writable);
  void set_timer();

  async::Executor executor_;
  ares_channeldata* channel_ = nullptr;
  std::map<int, std::shared_ptr<Socket>> sockets_;  // shared with operations under way
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>,
                                    async::Executor>
      timer_;
};

}  // namespace grapnel::http
