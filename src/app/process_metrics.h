// The figures that the drivers count themselves, as metrics.
//
//   GET /metrics ─► SamplingHandler ─► ProcessMetrics::sample, then the handler that shows them
//
// They are read when somebody asks, so that nothing runs for them while nobody does.
#pragma once

#include <array>
#include <functional>
#include <string_view>
#include <vector>

#include "drivers/http/client.h"
#include "drivers/http/resolver.h"
#include "drivers/http/server.h"
#include "drivers/js/sandbox_pool.h"
#include "drivers/sqlite/store.h"
#include "model/http.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace grapnel::app {

/// Used on the loop's thread.
class ProcessMetrics {
 public:
  /// All outlive this object.
  struct Parts {
    telemetry::Metrics& metrics;
    const http::Client& client;
    const http::Resolver& resolver;
    const sqlite::Store& store;
    const js::SandboxPool& sandbox;
    const telemetry::Log& log;
  };
  explicit ProcessMetrics(const Parts& parts);

  /// Adds a server under the name of its surface ("api", "ops"); it outlives this object.
  void add_server(const http::Server& server, std::string_view surface);
  /// Brings all figures up to now.
  void sample();

 private:
  /// A figure that somebody else counts, and where it is shown.
  struct Counted {
    telemetry::Counter shown;
    std::function<std::uint64_t()> read;
  };
  struct Measured {
    telemetry::Gauge shown;
    std::function<std::size_t()> read;
  };

  void count(std::string name, std::string help, std::function<std::uint64_t()> read);
  void add_client(const http::Client& client);
  void add_resolver(const http::Resolver& resolver);
  void add_store(const sqlite::Store& store);
  void add_sandbox(const js::SandboxPool& sandbox);

  telemetry::Metrics& metrics_;
  std::vector<Counted> counted_;
  std::vector<Measured> measured_;
};

/// Where the store notes each commit (StoreOptions::on_commit): size and time, as histograms.
std::function<void(const sqlite::CommitFigures&)> commit_observer(telemetry::Metrics& metrics);

/// Answers as `inner` does, after `sample`.
class SamplingHandler final : public model::HttpHandler {
 public:
  /// `inner` outlives this one.
  SamplingHandler(model::HttpHandler& inner, std::function<void()> sample)
      : inner_(inner), sample_(std::move(sample)) {}

  std::variant<model::BodyAllowance, model::HttpResponse> admit(
      const model::HttpRequest& head) override {
    return inner_.admit(head);
  }
  async::Task<model::HttpResponse> handle(model::HttpRequest request) override {
    if (request.target.starts_with("/metrics")) sample_();  // probes come often, and show no figure
    return inner_.handle(std::move(request));
  }
  model::HttpResponse fault(model::HttpFault fault, const model::HttpRequest& head) override {
    return inner_.fault(fault, head);
  }

 private:
  model::HttpHandler& inner_;
  std::function<void()> sample_;
};

}  // namespace grapnel::app
