#include "pipeline/verdict.h"

#include <algorithm>

#include "model/limits.h"

namespace grapnel::pipeline {
namespace {

using model::Attempt;
using model::AttemptResult;
using model::AttemptStep;
using model::EndReason;
using model::RetryOn;
using model::Settlement;

constexpr int kGone = 410;

/// Failures that no later try can mend.
EndReason final_reason(const Attempt& attempt, RetryOn policy) {
  switch (attempt.step) {
    case AttemptStep::egress: return EndReason::egress_refused;
    case AttemptStep::prepare: return EndReason::bad_configuration;
    default: break;
  }
  if (policy == RetryOn::transient && !is_transient(attempt)) return EndReason::final_failure;
  return EndReason::none;
}

void retry_or_die(Settlement& settlement, const model::Lease& lease, const model::Action& action,
                  std::optional<Millis> retry_after, Time now, Random& random) {
  const int failures = lease.delivery.tries_used + 1;
  if (failures >= action.retry.tries()) {
    settlement.kind = Settlement::Kind::dead;
    settlement.reason = EndReason::retries_exhausted;
    return;
  }
  const Millis wait = model::with_jitter(action.retry.wait_after(failures), random);
  settlement.kind = Settlement::Kind::retry;
  settlement.due =
      now + std::min(std::max(wait, retry_after.value_or(Millis{0})), model::kRetryWaitMax);
}

}  // namespace

bool is_transient(const Attempt& attempt) {
  switch (attempt.step) {
    case AttemptStep::dns:
    case AttemptStep::connect:
    case AttemptStep::tls:
    case AttemptStep::send:
    case AttemptStep::response:
    case AttemptStep::timeout: return true;
    case AttemptStep::status: {
      const int status = attempt.response_status;
      return status == 408 || status == 429 || (status >= 500 && status <= 599);
    }
    default: return false;
  }
}

Settlement settle(const model::Lease& lease, const model::Action& current, AttemptReport report,
                  Time now, Random& random) {
  Settlement settlement{.delivery = lease.delivery.seq, .fence = lease.fence};
  const Attempt& attempt = report.attempt;
  if (attempt.result == AttemptResult::succeeded) {
    settlement.kind = Settlement::Kind::delivered;
  } else if (attempt.result == AttemptResult::handed_back) {
    settlement.kind = Settlement::Kind::hand_back;
    settlement.due = now + report.retry_after.value_or(Millis{0});
  } else if (report.body_damaged) {
    settlement.kind = Settlement::Kind::dead;
    settlement.reason = EndReason::body_damaged;
  } else if (attempt.step == AttemptStep::status && attempt.response_status == kGone &&
             report.target_revision == current.target_revision) {
    settlement.kind = Settlement::Kind::dead;
    settlement.reason = EndReason::endpoint_gone;
    settlement.health = model::HealthReport{.health = model::Health::gone,
                                            .target_revision = report.target_revision,
                                            .reason = "the endpoint answered 410 Gone"};
  } else if (const EndReason reason = final_reason(attempt, current.retry.policy);
             reason != EndReason::none) {
    settlement.kind = Settlement::Kind::dead;
    settlement.reason = reason;
  } else {
    retry_or_die(settlement, lease, current, report.retry_after, now, random);
  }
  settlement.attempt = std::move(report.attempt);
  return settlement;
}

}  // namespace grapnel::pipeline
