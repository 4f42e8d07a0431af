// Names to addresses without a blocking call: c-ares on the loop, /etc/hosts included, with a
// bounded cache. Callers that ask for the same name share one look-up.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "async/deadline.h"
#include "async/task.h"
#include "base/result.h"
#include "drivers/http/cidr.h"
#include "drivers/http/limits.h"

namespace grapnel::http {

struct ResolverOptions {
  /// "192.0.2.53,[2001:db8::53]:5353"; empty: those of /etc/resolv.conf, with its search list.
  std::string name_servers;
  std::chrono::milliseconds server_timeout = kNameServerTimeout;
  int tries = kNameServerTries;
};

struct ResolverStats {
  std::uint64_t lookups = 0;     ///< questions put to the name servers or the hosts file
  std::uint64_t cache_hits = 0;  ///< answered without one
  std::uint64_t failures = 0;
  std::uint64_t busy = 0;  ///< refused with lookups_busy
};

/// Used on the loop's thread. The loop outlives it; callers that wait when it is destroyed get
/// name_lookup_failed.
class Resolver {
 public:
  /// Throws std::runtime_error when c-ares cannot start or a name server is malformed.
  explicit Resolver(async::Executor executor, ResolverOptions options = {});
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Addresses in the order of RFC 6724, at least one. An address as `host` is returned as it is.
  /// Kept for the records' time to live, bounded to [kNameTtlMin, kNameTtlMax]. Errors:
  /// name_not_found, name_lookup_failed, lookups_busy, async::errc::timed_out,
  /// async::errc::canceled.
  async::Task<Result<std::vector<IpAddress>>> resolve(std::string host, async::Deadline deadline);

  const ResolverStats& stats() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with operations under way on c-ares' sockets
};

}  // namespace grapnel::http
