#include "app/process_metrics.h"

#include "model/texts.h"

namespace grapnel::app {
namespace {

using model::HttpFault;

constexpr std::array<std::pair<HttpFault, std::string_view>, http::kFaults> kFaultReasons{
    {{HttpFault::bad_request, "bad_request"},
     {HttpFault::timeout, "timeout"},
     {HttpFault::length_required, "length_required"},
     {HttpFault::body_too_large, "body_too_large"},
     {HttpFault::head_too_large, "head_too_large"},
     {HttpFault::too_many_in_flight, "too_many_in_flight"},
     {HttpFault::unsupported_transfer_coding, "unsupported_transfer_coding"}}};

constexpr std::array<std::string_view, js::kWorkerEnds> kWorkerEndNames{
    "stopped", "overdue", "violation", "memory", "forbidden", "crashed", "killed"};

struct Figure {
  std::string_view reason;
  std::uint64_t http::ServerStats::* member;
};
constexpr std::array kConnectionsRefused{
    Figure{"too_many", &http::ServerStats::refused},
    Figure{"accept_failed", &http::ServerStats::accept_failures},
    Figure{"tls_failed", &http::ServerStats::tls_failures}};

}  // namespace

ProcessMetrics::ProcessMetrics(const Parts& parts) : metrics_(parts.metrics) {
  add_client(parts.client);
  add_resolver(parts.resolver);
  add_store(parts.store);
  add_sandbox(parts.sandbox);
  count("log_lines_dropped_total", "Log lines lost because standard error was read too slowly.",
        [&log = parts.log] { return log.dropped(); });
}

void ProcessMetrics::count(std::string name, std::string help,
                           std::function<std::uint64_t()> read) {
  counted_.push_back({metrics_.counter(std::move(name), std::move(help)), std::move(read)});
}

void ProcessMetrics::add_server(const http::Server& server, std::string_view surface) {
  using Stats = http::ServerStats;
  const auto add = [&](telemetry::Counter shown, std::uint64_t Stats::* member) {
    counted_.push_back({std::move(shown), [&server, member] { return server.stats().*member; }});
  };
  auto& refused = metrics_.counters(
      "http_connections_refused_total",
      "Connections closed before their first request, by reason: too_many (limits.connections), "
      "accept_failed (mostly out of descriptors), tls_failed.",
      {"surface", "reason"});
  for (const auto& [reason, member] : kConnectionsRefused) {
    add(refused.with({surface, reason}), member);
  }
  add(metrics_
          .counters("http_connections_accepted_total", "Connections that peers made.", {"surface"})
          .with({surface}),
      &Stats::accepted);
  add(metrics_
          .counters("http_connections_evicted_total",
                    "Connections at rest that were closed to make room for others.", {"surface"})
          .with({surface}),
      &Stats::evicted);
  add(metrics_.counters("http_requests_total", "Requests whose head was read.", {"surface"})
          .with({surface}),
      &Stats::requests);
  add(metrics_
          .counters("http_answers_cut_total", "Answers that the peer took too slowly.", {"surface"})
          .with({surface}),
      &Stats::answers_cut);
  add(metrics_
          .counters("http_large_body_waits_total",
                    "Reads of bodies above 1 MiB that waited for their turn (256 MiB/s for all).",
                    {"surface"})
          .with({surface}),
      &Stats::body_waits);
  auto& faults = metrics_.counters("http_requests_refused_total",
                                   "Requests that the server refused itself, by reason.",
                                   {"surface", "reason"});
  for (const auto& [fault, reason] : kFaultReasons) {
    counted_.push_back({faults.with({surface, reason}),
                        [&server, fault] { return server.stats().faulted(fault); }});
  }
  measured_.push_back(
      {metrics_.gauges("http_connections", "Open connections.", {"surface"}).with({surface}),
       [&server] { return server.stats().connections; }});
  measured_.push_back({metrics_
                           .gauges("http_connections_idle",
                                   "Open connections that wait for a next request.", {"surface"})
                           .with({surface}),
                       [&server] { return server.stats().idle; }});
  measured_.push_back({metrics_
                           .gauges("http_body_bytes_in_flight",
                                   "Bytes of request bodies that are held.", {"surface"})
                           .with({surface}),
                       [&server] { return server.stats().body_bytes; }});
}

void ProcessMetrics::add_client(const http::Client& client) {
  auto& refused = metrics_.counters(
      "http_calls_refused_total",
      "Outgoing calls refused before they connected, by reason: too_many at a time, egress (the "
      "address may not be called).",
      {"reason"});
  counted_.push_back(
      {refused.with({"too_many"}), [&client] { return client.stats().refused_busy; }});
  counted_.push_back(
      {refused.with({"egress"}), [&client] { return client.stats().egress_refusals; }});
  count("http_call_connects_total", "Connections made for outgoing calls.",
        [&client] { return client.stats().connects; });
  count("http_call_reuses_total", "Outgoing calls that began on a kept connection.",
        [&client] { return client.stats().reuses; });
  count("http_call_second_tries_total",
        "Kept connections that failed before the answer began; the call went out once more.",
        [&client] { return client.stats().second_tries; });
  measured_.push_back({metrics_.gauge("http_calls_in_flight", "Outgoing calls under way."),
                       [&client] { return client.stats().in_flight; }});
  measured_.push_back(
      {metrics_.gauge("http_call_connections_kept", "Connections kept for a next outgoing call."),
       [&client] { return client.stats().idle; }});
}

void ProcessMetrics::add_resolver(const http::Resolver& resolver) {
  count("name_lookups_total", "Questions put to the name servers or the hosts file.",
        [&resolver] { return resolver.stats().lookups; });
  count("name_lookups_cached_total", "Names that were answered without a question.",
        [&resolver] { return resolver.stats().cache_hits; });
  count("name_lookup_failures_total", "Questions that failed.",
        [&resolver] { return resolver.stats().failures; });
  count("name_lookups_refused_total", "Names not looked up because too many were.",
        [&resolver] { return resolver.stats().busy; });
}

void ProcessMetrics::add_store(const sqlite::Store& store) {
  count("grapnel_store_commits_total", "Transactions made durable.",
        [&store] { return store.counters().commits; });
  count("grapnel_store_commands_total", "Commands in these transactions.",
        [&store] { return store.counters().commands; });
  count("grapnel_store_reopenings_total", "Times the store was opened anew after a failed sync.",
        [&store] { return store.counters().reopenings; });
  count("grapnel_store_wal_restarts_total",
        "Times writing waited for room in the write-ahead log (limits.wal_bytes).",
        [&store] { return store.counters().restarts; });
}

void ProcessMetrics::add_sandbox(const js::SandboxPool& sandbox) {
  auto& calls = metrics_.counters(
      "script_calls_total", "Calls of scripts, by how they ended; ok: with a result.", {"fault"});
  const auto faults = model::texts_of<model::ScriptFault>();
  for (std::size_t i = 0; i < faults.size(); ++i) {
    counted_.push_back({calls.with({i == 0 ? "ok" : faults[i]}),
                        [&sandbox, i] { return sandbox.stats().calls.at(i); }});
  }
  auto& ended = metrics_.counters("script_workers_ended_total",
                                  "Processes that ran scripts and ended, by cause.", {"cause"});
  for (std::size_t i = 0; i < js::kWorkerEnds; ++i) {
    counted_.push_back({ended.with({kWorkerEndNames.at(i)}),
                        [&sandbox, i] { return sandbox.stats().ended.at(i); }});
  }
  count("script_batches_total", "Messages of calls to script workers.",
        [&sandbox] { return sandbox.stats().batches; });
  measured_.push_back({metrics_.gauge("script_workers", "Processes that run scripts."),
                       [&sandbox] { return sandbox.stats().workers; }});
  measured_.push_back({metrics_.gauge("script_calls_waiting", "Calls that wait for a worker."),
                       [&sandbox] { return sandbox.stats().waiting; }});
  measured_.push_back({metrics_.gauge("script_suspects",
                                      "Scripts that were slow or killed their worker lately and "
                                      "are run beside the others."),
                       [&sandbox] { return sandbox.stats().suspects; }});
}

void ProcessMetrics::sample() {
  for (const auto& [shown, read] : counted_) {
    const std::uint64_t now = read();
    shown.inc(now - shown.value());
  }
  for (const auto& [shown, read] : measured_) shown.set(static_cast<double>(read()));
}

std::function<void(const sqlite::CommitFigures&)> commit_observer(telemetry::Metrics& metrics) {
  return [took = metrics.histogram("grapnel_store_commit_duration_seconds",
                                   "From a transaction's first statement to the end of its sync.",
                                   telemetry::latency_buckets()),
          bytes = metrics.histogram(
              "grapnel_store_commit_bytes", "What the commands of a transaction carried.",
              {1e3, 4e3, 16e3, 64e3, 256e3, 1e6, 4e6})](const sqlite::CommitFigures& commit) {
    took.observe(std::chrono::duration<double>(commit.took).count());
    bytes.observe(static_cast<double>(commit.bytes));
  };
}

}  // namespace grapnel::app
