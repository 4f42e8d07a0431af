// Connections kept between outgoing calls, per endpoint: scheme, host, port and whom the call
// trusts. Private to this room.
#pragma once

#include <boost/intrusive/list.hpp>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "drivers/http/read_buffer.h"
#include "drivers/http/stream.h"
#include "drivers/http/url.h"
#include "drivers/http/watchdog.h"

namespace grapnel::http {

class Pool;
using RestHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// A connection to an endpoint and the memory its calls use. Its deadline is the call's, or the end
/// of its rest in the pool.
class ClientConnection final : public Watched, public RestHook {
 public:
  enum class Origin : std::uint8_t { fresh, kept };

  ClientConnection(Watchdog& watchdog, async::Executor executor)
      : Watched(watchdog), stream(std::move(executor)) {}

  Stream stream;
  ReadBuffer buffer;
  std::string out;
  Origin origin = Origin::fresh;

 private:
  friend class Pool;
  void interrupt() override;

  Pool* resting_in_ = nullptr;
  void* endpoint_ = nullptr;  // while resting
};

struct PoolLimits {
  std::size_t idle_per_endpoint_max;
  std::size_t idle_max;
  std::chrono::milliseconds idle_timeout;
};

class Pool {
  struct Endpoint {
    const std::string* key = nullptr;  // of the map's node
    std::shared_ptr<const std::string>
        ca_bundle;  // keeps the identity in `key` from being used again
    std::vector<std::unique_ptr<ClientConnection>> idle;  // the newest last
    std::size_t users = 0;
  };

 public:
  explicit Pool(PoolLimits limits) : limits_(limits) {}

  /// An endpoint for as long as one call uses it.
  class Lease {
   public:
    Lease(Pool& pool, const Url& url, const std::shared_ptr<const std::string>& ca_bundle);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    /// The connection that rested last and is not stale, or null.
    std::unique_ptr<ClientConnection> take();
    /// Lets it rest; where there is no room, the one of any endpoint that rested longest is closed.
    void keep(std::unique_ptr<ClientConnection> connection, Monotonic now);

   private:
    Pool& pool_;
    Endpoint& endpoint_;
  };

  std::size_t idle() const { return idle_; }
  /// Closes what rests.
  void clear();

 private:
  friend class ClientConnection;

  Endpoint& find_or_add(const Url& url, const std::shared_ptr<const std::string>& ca_bundle);
  void drop(ClientConnection& connection);
  void forget_if_unused(Endpoint& endpoint);

  PoolLimits limits_;
  std::string key_;  // of the endpoint looked for; kept for its memory
  std::unordered_map<std::string, Endpoint> endpoints_;
  boost::intrusive::list<ClientConnection, boost::intrusive::constant_time_size<false>>
      resting_;  // of all endpoints, the one that rests longest first
  std::size_t idle_ = 0;
};

}  // namespace grapnel::http
