#include "app/certificate_reports.h"

#include "app/limits.h"

namespace grapnel::app {

CertificateReports::CertificateReports(telemetry::Log& log, telemetry::Metrics& metrics)
    : log_(log),
      failures_(metrics.counter("tls_reload_failures_total",
                                "Changed certificate files that could not be used; the former "
                                "ones stay in use.")) {}

void CertificateReports::note(const Result<>& reload) {
  if (reload) {
    told_.clear();
    log_.info("the changed certificate is in use");
    return;
  }
  failures_.inc();
  if (told_.size() >= kCertificateErrorsToldMax) told_.clear();
  if (!told_.insert(reload.error().message()).second) return;
  log_.error("the changed certificate cannot be used; the former one stays in use",
             {{"error", reload.error().message()}});
}

}  // namespace grapnel::app
