// The HTTP/1.1 server: one listener, whose requests an HttpHandler answers.
//
//   new --start()--> serving --begin_drain()--> draining --stop(deadline)--> stopped
//
// Draining closes the listener and connections at rest, and says "Connection: close" in every
// answer; what is under way is finished. Everything a peer may send or leave out is bounded
// (limits.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/deadline.h"
#include "async/task.h"
#include "base/result.h"
#include "drivers/http/cidr.h"
#include "drivers/http/limits.h"
#include "drivers/http/tls.h"
#include "model/http.h"

namespace grapnel::http {

struct ServerTimeouts {
  std::chrono::milliseconds head = kHeadTimeout;  ///< the TLS handshake has as much once more
  std::chrono::milliseconds body = kBodyTimeout;
  std::uint64_t body_bytes_per_second_min = kBodyBytesPerSecondMin;
  std::chrono::milliseconds idle = kIdleTimeout;
  std::chrono::milliseconds write = kWriteTimeout;
  std::chrono::milliseconds linger = kLingerTimeout;
};

struct ServerOptions {
  std::string address;     ///< an IP address; empty: all of both families
  std::uint16_t port = 0;  ///< 0: the kernel chooses, port() tells
  std::optional<TlsFiles> tls;
  std::chrono::milliseconds tls_check_interval = kTlsCheckInterval;
  std::vector<Cidr> trusted_proxies;
  ServerTimeouts timeouts;
  std::size_t connections_max = kConnectionsMax;
  std::uint64_t body_bytes_in_flight_max = kBodyBytesInFlightMax;
};

/// Counters since the start, and three values of now.
struct ServerStats {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;          ///< closed at once: connections_max, none at rest
  std::uint64_t evicted = 0;          ///< at rest, closed to make room
  std::uint64_t accept_failures = 0;  ///< mostly: out of descriptors
  std::uint64_t tls_failures = 0;
  std::uint64_t tls_reloads = 0;
  std::uint64_t tls_reload_failures = 0;
  std::uint64_t requests = 0;
  std::uint64_t faults = 0;    ///< requests answered by HttpHandler::fault
  std::uint64_t timeouts = 0;  ///< heads, bodies and writes that were too slow
  std::size_t connections = 0;
  std::size_t idle = 0;
  std::uint64_t body_bytes = 0;
};

/// Used on the loop's thread. stop() it before it is destroyed, unless its loop has stopped for
/// good.
class Server {
 public:
  /// `handler` outlives the server.
  Server(async::Executor executor, ServerOptions options, model::HttpHandler& handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Errors: listen_failed, bad_tls_files.
  Result<> start();
  std::uint16_t port() const;

  void begin_drain();
  /// Drains until `deadline`, then cancels what is left and waits for it. May be called again.
  async::Task<> stop(async::Deadline deadline);

  /// Reads the certificate files again; on an error the former ones stay in use. Also done by
  /// itself when they change. Error: bad_tls_files.
  Result<> reload_tls();
  /// The last reload's error; empty when it succeeded.
  const std::string& tls_problem() const;

  ServerStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace grapnel::http
