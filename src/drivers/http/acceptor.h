// A listening socket.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "drivers/http/stream.h"

namespace grapnel::http {

class Acceptor {
 public:
  explicit Acceptor(async::Executor executor);
  ~Acceptor();

  /// Listens on an IP address; "" is every address of both families. Port 0: the kernel chooses.
  /// Error: listen_failed.
  Result<> open(const std::string& address, std::uint16_t port);
  std::uint16_t port() const;
  /// The next connection; none after an error, close() included.
  async::Task<std::optional<Stream>> accept(SocketError& error);
  /// A connection the kernel has ready, or none.
  std::optional<Stream> accept_now();
  void close();
  bool is_open() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace grapnel::http
