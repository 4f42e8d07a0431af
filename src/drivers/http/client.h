// Outgoing HTTP/1.1 calls: kept connections, TLS 1.2 and later, names resolved on the loop, every
// address looked at by the egress guard before it is connected to, redirects never followed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "async/task.h"
#include "drivers/http/egress_guard.h"
#include "drivers/http/limits.h"
#include "drivers/http/resolver.h"
#include "model/http.h"

namespace grapnel::http {

struct ClientOptions {
  std::size_t idle_per_endpoint_max = kIdlePerEndpointMax;
  std::size_t idle_max = kIdleMax;
  std::chrono::milliseconds idle_timeout = kPoolIdleTimeout;
  std::size_t calls_max = kCallsMax;
};

/// Counters since the start, and two values of now.
struct ClientStats {
  std::uint64_t connects = 0;      ///< fresh connections made
  std::uint64_t reuses = 0;        ///< calls that began on a kept connection
  std::uint64_t second_tries = 0;  ///< a kept connection failed before the answer began
  std::uint64_t refused_busy = 0;  ///< calls beyond calls_max
  std::uint64_t egress_refusals = 0;
  std::size_t in_flight = 0;
  std::size_t idle = 0;
};

/// Used on the loop's thread. stop() it before it is destroyed, unless its loop has stopped for
/// good.
class Client final : public model::HttpSender {
 public:
  /// `resolver` outlives the client. A person's command line passes EgressGuard::allow_all().
  Client(async::Executor executor, Resolver& resolver, EgressGuard guard,
         ClientOptions options = {});
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Error: bad_url, what is wrong with it.
  Result<> check_url(std::string_view url) const override;
  /// A kept connection that ends before any byte of the answer is replaced once by a fresh one, so
  /// an endpoint may see a request twice. An answer longer than `response_bytes_max` is still an
  /// answer.
  async::Task<std::expected<model::HttpAnswer, model::HttpFailure>> send(
      model::HttpCall call) override;

  /// Closes kept connections. Calls have ended or are being canceled; time-outs strike no more.
  async::Task<> stop();

  ClientStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace grapnel::http
