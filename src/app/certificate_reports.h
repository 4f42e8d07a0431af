// What the operator hears of certificate files that cannot be read again.
#pragma once

#include <set>
#include <string>

#include "base/result.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace grapnel::app {

/// Counts every failure (tls_reload_failures_total) and logs each distinct one once, until a reload
/// succeeds: a tool that rewrites a broken file every second does not fill the log.
class CertificateReports {
 public:
  /// `log` outlives the reports.
  CertificateReports(telemetry::Log& log, telemetry::Metrics& metrics);

  /// How a reload went (http::ServerOptions::on_tls_reload).
  void note(const Result<>& reload);

 private:
  telemetry::Log& log_;
  telemetry::Counter failures_;
  std::set<std::string> told_;
};

}  // namespace grapnel::app
