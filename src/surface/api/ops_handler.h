// Port 9090, for machines:
//
//   /metrics             Prometheus
//   /healthz, /health    does the process live
//   /readyz              can it accept webhooks now
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "async/blocking_pool.h"
#include "model/http.h"
#include "telemetry/metrics.h"

namespace grapnel::api {

class OpsHandler final : public model::HttpHandler {
 public:
  /// Everything outlives the handler.
  struct Parts {
    telemetry::Metrics& metrics;
    async::BlockingPool* pool;  ///< gathers metrics off the loop; null: on it
    /// Why nothing can be accepted now, one sentence; nothing when it can.
    std::function<std::optional<std::string>()> why_not_ready;
  };
  explicit OpsHandler(Parts parts) : parts_(std::move(parts)) {}

  std::variant<model::BodyAllowance, model::HttpResponse> admit(
      const model::HttpRequest& head) override;
  async::Task<model::HttpResponse> handle(model::HttpRequest request) override;
  model::HttpResponse fault(model::HttpFault fault, const model::HttpRequest& head) override;

 private:
  async::Task<model::HttpResponse> metrics();
  model::HttpResponse ready() const;

  Parts parts_;
};

}  // namespace grapnel::api
