// Port 8080: webhooks in, the REST API, and whether the process lives.
//
//   admit(head):  /webhooks/{slug} --> Ingest::admit
//                 /api/...         --> key --> route --> scope
//                 /health, /healthz
//   handle(request): the same way again, with the body; a key may have ended while it arrived
//
// Every answer under /api is counted once: by its route in note(), or by refused() without one.
#pragma once

#include <vector>

#include "model/http.h"
#include "pipeline/ingest.h"
#include "surface/api/key_uses.h"
#include "surface/api/router.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace grapnel::api {

class PublicHandler final : public model::HttpHandler {
 public:
  /// Everything outlives the handler.
  struct Parts {
    async::Executor executor;
    async::Timers& timers;
    Ports ports;
    pipeline::Ingest& ingest;
    telemetry::Log& journal;
    telemetry::Metrics& metrics;
    AuthOptions auth;
  };
  explicit PublicHandler(Parts parts);

  /// Begins to note last uses of keys.
  void start() { uses_.start(); }
  /// Writes what is gathered; requests may still be under way.
  async::Task<> stop() { return uses_.stop(); }

  std::variant<model::BodyAllowance, model::HttpResponse> admit(
      const model::HttpRequest& head) override;
  async::Task<model::HttpResponse> handle(model::HttpRequest request) override;
  model::HttpResponse fault(model::HttpFault fault, const model::HttpRequest& head) override;

 private:
  struct Admitted {
    Match match;
    Caller caller;
    Query query;
    model::SnapshotPtr snapshot;
  };
  Answer<Admitted> admit_api(const TargetParts& target, const model::HttpRequest& head) const;
  async::Task<model::HttpResponse> handle_api(model::HttpRequest request);
  async::Task<model::HttpResponse> call_route(Admitted admitted, std::string path,
                                              model::HttpRequest request);
  model::HttpResponse refused(model::HttpResponse answer);
  void note(const Route& route, const Caller& caller, const std::string& path, int status);

  Trials trials_;
  Parts parts_;
  const std::vector<Route> routes_;
  telemetry::CounterFamily& requests_;
  KeyUses uses_;
};

}  // namespace grapnel::api
