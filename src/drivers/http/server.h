// The HTTP/1.1 server: one listener, whose requests an HttpHandler answers.
//
//   new --start()--> serving --begin_drain()--> draining --stop(deadline)--> stopped
//
// Draining closes the listener and connections at rest, and says "Connection: close" in every
// answer; what is under way is finished. Everything a peer may send or leave out is bounded
// (limits.h).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
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
  /// Told, on the loop's thread, how each reading of changed certificate files went. After an error
  /// (bad_tls_files) the former ones stay in use, and the files are read when they change again.
  /// May be empty.
  std::function<void(const Result<>&)> on_tls_reload;
  std::vector<Cidr> trusted_proxies;
  ServerTimeouts timeouts;
  std::size_t connections_max = kConnectionsMax;
  std::uint64_t body_bytes_in_flight_max = kBodyBytesInFlightMax;
};

/// Every HttpFault.
inline constexpr std::size_t kFaults =
    static_cast<std::size_t>(model::HttpFault::unsupported_transfer_coding) + 1;

/// Counters since the start, and three values of now.
struct ServerStats {
  std::uint64_t faulted(model::HttpFault fault) const {
    return faults[static_cast<std::size_t>(fault)];
  }

  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;          ///< closed at once: connections_max, none at rest
  std::uint64_t evicted = 0;          ///< at rest, closed to make room
  std::uint64_t accept_failures = 0;  ///< mostly: out of descriptors
  std::uint64_t tls_failures = 0;     ///< handshakes that failed or took too long
  std::uint64_t requests = 0;
  std::array<std::uint64_t, kFaults> faults{};  ///< requests answered by HttpHandler::fault
  std::uint64_t answers_cut = 0;                ///< the peer took its answer too slowly
  std::uint64_t body_waits = 0;                 ///< reads of large bodies that had to wait
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

  ServerStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace grapnel::http
