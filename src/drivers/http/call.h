// One outgoing call from its connection to its answer. Private to this room.
//
//   prepare -> (kept connection | dns -> egress -> connect -> tls) -> send -> response
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "drivers/http/call_plan.h"
#include "drivers/http/client.h"
#include "drivers/http/pool.h"
#include "drivers/http/tls.h"

namespace grapnel::http {

/// What the calls of one client share.
struct CallState {
  async::Executor executor;
  Resolver& resolver;
  EgressGuard guard;
  TrustStores trust;
  Watchdog watchdog;
  Pool pool;
  ClientStats stats;
  SystemClock clock;
};

class Call {
 public:
  explicit Call(CallState& state) : state_(state) {}

  /// Runs where cancellation does not throw (Client::send sees to it).
  async::Task<std::expected<model::HttpAnswer, model::HttpFailure>> run(model::HttpCall call);

 private:
  using Connection = ClientConnection;

  Monotonic now() const { return state_.clock.monotonic(); }
  std::unexpected<model::HttpFailure> failed();
  bool fail(model::HttpFailure failure);
  async::Task<std::unique_ptr<Connection>> connect();
  async::Task<bool> resolve();
  bool pass_egress();
  async::Task<bool> connect_one_of(Connection& connection);
  async::Task<bool> secure(Connection& connection);

  CallState& state_;
  CallPlan plan_;
  std::vector<IpAddress> addresses_;
  model::AttemptTimings timings_;
  model::HttpFailure failure_;
  SocketError error_;  // of the last operation
};

}  // namespace grapnel::http
