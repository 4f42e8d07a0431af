// One TCP connection, with TLS or without, in either direction. Asio's templates end here. The
// functions that return a Task do not suspend by themselves: they hand out the operation, so that a
// read costs one coroutine frame and no more. `error` and every buffer outlive the operation.
#pragma once

#include <boost/system/error_code.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "drivers/http/cidr.h"

namespace grapnel::http {

class Acceptor;
class TlsContext;
using SocketError = boost::system::error_code;

class Stream {
 public:
  explicit Stream(async::Executor executor);
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();

  /// Opens a fresh socket (an earlier one is closed) and connects it.
  async::Task<> connect(const IpAddress& address, std::uint16_t port, SocketError& error);
  /// Shows and checks the name `host` (an address is checked as one). Call describe_tls_failure
  /// after an error.
  async::Task<> handshake_as_client(std::shared_ptr<const TlsContext> context,
                                    const std::string& host, SocketError& error);
  async::Task<> handshake_as_server(std::shared_ptr<const TlsContext> context, SocketError& error);
  /// After a handshake as server: the client's certificates in DER, its own first; empty: none.
  std::vector<std::string> client_certificates() const;
  /// One sentence: expired, unknown CA, wrong name, or what the library said.
  std::string describe_tls_failure(const SocketError& error, std::string_view host) const;

  async::Task<std::size_t> read_some(std::span<char> into, SocketError& error);
  /// Writes both, in one system call where the kernel takes them.
  async::Task<std::size_t> write(std::string_view first, std::string_view second,
                                 SocketError& error);
  /// What the kernel takes at once, without waiting; 0 with TLS. Errors show in the next write.
  std::size_t write_now(std::string_view first, std::string_view second);

  /// The operations under way end with operation_aborted.
  void cancel();
  void shutdown_send();
  void close();
  /// Bytes that could be read without waiting (of TLS: encrypted ones).
  std::size_t available() const;
  /// Whether a connection at rest was ended by the peer, or holds bytes nobody asked for.
  bool is_stale() const;

  const IpAddress& peer_address() const;
  /// "192.0.2.1:443", "[2001:db8::1]:443"
  std::string peer_text() const;

 private:
  friend class Acceptor;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Whether the peer ended the connection, as opposed to a failure of ours.
bool is_end_of_stream(const SocketError& error);

}  // namespace grapnel::http
