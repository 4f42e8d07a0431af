#include "pipeline/attempt.h"

#include <fmt/format.h>

#include "model/transform.h"
#include "pipeline/outbound.h"
#include "pipeline/retry_after.h"
#include "pipeline/script_attempt.h"
#include "telemetry/trace.h"

namespace grapnel::pipeline {
namespace {

using model::Attempt;
using model::AttemptResult;
using model::AttemptStep;

void note_answer(Attempt& attempt, model::HttpAnswer answer) {
  attempt.timings = answer.timings;
  attempt.response_status = answer.status;
  attempt.response_headers = std::move(answer.headers);
  attempt.response_excerpt = std::move(answer.body);
  if (answer.status >= 200 && answer.status <= 299) {
    attempt.result = AttemptResult::succeeded;
    return;
  }
  attempt.result = AttemptResult::failed;
  attempt.step = AttemptStep::status;
  attempt.error = answer.status >= 300 && answer.status <= 399
                      ? fmt::format("status: the endpoint answered {}; redirects are not followed",
                                    answer.status)
                      : fmt::format("status: the endpoint answered {}", answer.status);
}

void note_failure(Attempt& attempt, model::HttpFailure failure) {
  attempt.timings = failure.timings;
  attempt.step = failure.step;
  attempt.result =
      failure.step == AttemptStep::none ? AttemptResult::handed_back : AttemptResult::failed;
  attempt.error = std::move(failure.message);
}

}  // namespace

Result<model::HttpCall> Attempter::prepare(const model::SourceEntry& entry,
                                           const model::ActionPtr& owner, const model::Event& event,
                                           const model::Delivery& delivery, Attempt& attempt) {
  const model::Action& action = *owner;
  auto keys = parts_.keyring.of(action);
  if (!keys) return std::unexpected(keys.error());
  const signature::SigningTime time{.wall = attempt.started + parts_.clock.wall_offset(),
                                    .store = attempt.started};
  const std::uint8_t schemes = action.secrets.empty() ? std::uint8_t{0} : action.schemes;
  auto signature = (*keys)->sign(delivery.event.str(), time, event.body, schemes);
  if (!signature) return std::unexpected(signature.error());
  model::HeaderList signed_headers = std::move(*signature);
  std::string traceparent;
  if (const auto context = telemetry::parse_traceparent(event.traceparent)) {
    traceparent = context->child(parts_.random).str();
  }
  attempt.request_headers = signed_headers;
  if (!traceparent.empty()) attempt.request_headers.push_back({"traceparent", traceparent});
  model::HttpCall call;
  call.url = action.target_url;
  call.headers = outbound_headers(entry.source, action, event, delivery, attempt.number,
                                  std::move(signed_headers), traceparent);
  call.body = event.body;
  call.timeout = action.timeout;
  if (!action.ca_bundle.empty()) {
    // One identity for a revision's bundle, which is what connections and trust are kept by.
    call.ca_bundle = {owner, &action.ca_bundle};
  }
  return call;
}

model::Attempt Attempter::begin(const model::Delivery& delivery) {
  Attempt attempt;
  attempt.id = parts_.ids.make<model::AttemptId>();
  attempt.number = delivery.attempts + 1;
  attempt.started = parts_.clock.now();
  return attempt;
}

AttemptReport Attempter::unsendable(const model::Delivery& delivery, std::string_view why) {
  AttemptReport report{.attempt = begin(delivery), .body_damaged = true};
  report.attempt.result = AttemptResult::failed;
  report.attempt.step = AttemptStep::prepare;
  report.attempt.error = fmt::format("prepare: {}", why);
  return report;
}

async::Task<AttemptReport> Attempter::attempt(model::SourcePtr entry, model::ActionPtr action,
                                              model::EventPtr event, model::Delivery delivery) {
  AttemptReport report;
  report.target_revision = action->target_revision;
  Attempt& attempt = report.attempt;
  attempt = begin(delivery);
  attempt.action_revision = action->revision;
  if (action->type == model::kWebhook) {
    co_await send(std::move(entry), std::move(action), std::move(event), std::move(delivery),
                  report);
  } else {
    co_await run_script(parts_.sandbox, parts_.clock, std::move(entry), std::move(action),
                        std::move(event), report);
  }
  co_return report;
}

async::Task<> Attempter::send(model::SourcePtr entry, model::ActionPtr action,
                              model::EventPtr event, model::Delivery delivery,
                              AttemptReport& report) {
  Attempt& attempt = report.attempt;
  auto call = prepare(*entry, action, *event, delivery, attempt);
  if (!call) {
    attempt.result = AttemptResult::failed;
    attempt.step = AttemptStep::prepare;
    attempt.error = fmt::format("prepare: {}", call.error().message());
    co_return;
  }
  auto answer = co_await parts_.sender.send(std::move(*call));
  if (answer) {
    if (const auto value = model::find_header(answer->headers, "Retry-After")) {
      // A date is the wall clock's, which may be off the store's.
      const Time wall = parts_.clock.now() + parts_.clock.wall_offset();
      report.retry_after = parse_retry_after(*value, wall);
    }
    note_answer(attempt, std::move(*answer));
  } else {
    note_failure(attempt, std::move(answer.error()));
  }
}

}  // namespace grapnel::pipeline
