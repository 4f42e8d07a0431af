#include "surface/api/ingest_route.h"

#include <fmt/format.h>

#include "model/texts.h"
#include "surface/api/problem.h"

namespace grapnel::api {
namespace {

constexpr std::string_view kPrefix = "/webhooks/";

Problem problem_of(const pipeline::Refusal& refusal) {
  using pipeline::RefusalKind;
  Problem problem{400, "", refusal.detail, refusal.retry_after};
  switch (refusal.kind) {
    case RefusalKind::unknown_source:
      problem.status = 404;
      problem.kind = "unknown-source";
      break;
    case RefusalKind::unsupported_type:
      problem.status = 415;
      problem.kind = "not-json";
      break;
    case RefusalKind::invalid_json:
      problem.status = 422;
      problem.kind = "invalid-json";
      break;
    case RefusalKind::body_too_large:
      problem.status = 413;
      problem.kind = "body-too-large";
      break;
    case RefusalKind::rate_limited:
      problem.status = 429;
      problem.kind = "rate-limited";
      break;
    case RefusalKind::backlog_full:
      problem.status = 429;
      problem.kind = "backlog-full";
      break;
    case RefusalKind::held_full:
      problem.status = 429;
      problem.kind = "held-full";
      break;
    case RefusalKind::too_many_waiting:
      problem.status = 503;
      problem.kind = "busy";
      break;
    case RefusalKind::store_down:
      problem.status = 503;
      problem.kind = "store-unavailable";
      break;
    case RefusalKind::wrong_method:
      problem.status = 405;
      problem.kind = "method";
      break;
    case RefusalKind::invalid_event:
      problem.status = 422;
      problem.kind = "invalid-event";
      break;
    case RefusalKind::handshake:
      problem.status = 403;
      problem.kind = "handshake-refused";
      break;
    case RefusalKind::unverified:
      problem.status = refusal.rejected == signature::Rejection::insecure ? 403 : 401;
      problem.kind = problem.status == 403 ? "https-required" : "unverified";
      break;
  }
  return problem;
}

model::HttpResponse answer_of(const pipeline::Refusal& refusal) {
  auto answer = to_answer(problem_of(refusal));
  if (refusal.kind == pipeline::RefusalKind::wrong_method) {
    answer.headers.push_back({"Allow", "POST, PUT"});
  }
  if (!refusal.challenge.empty()) {
    answer.headers.push_back({"WWW-Authenticate", refusal.challenge});
  }
  return answer;
}

/// {"status", "events": […]} of a request that held several.
std::string batch_body(const std::vector<pipeline::Taken>& batch) {
  std::string out = "{\"status\":\"accepted\",\"events\":[";
  for (const auto& taken : batch) {
    if (!out.ends_with('[')) out += ',';
    out += fmt::format("{{\"event_id\":\"{}\",\"status\":\"{}\"}}", taken.event.str(),
                       model::to_text(taken.admission));
  }
  out += "]}\n";
  return out;
}

}  // namespace

std::optional<std::string_view> webhook_slug(std::string_view path) {
  if (!path.starts_with(kPrefix)) return std::nullopt;
  const auto slug = path.substr(kPrefix.size());
  if (slug.empty() || slug.find('/') != std::string_view::npos) return std::nullopt;
  return slug;
}

std::variant<model::BodyAllowance, model::HttpResponse> admit_webhook(
    pipeline::Ingest& ingest, std::string_view slug, const model::HttpRequest& head) {
  const auto allowed = ingest.admit(slug, head);
  if (!allowed) return answer_of(allowed.error());
  return *allowed;
}

async::Task<model::HttpResponse> take_webhook(pipeline::Ingest& ingest, std::string slug,
                                              model::HttpRequest request) {
  auto receipt = co_await ingest.receive(std::move(slug), std::move(request));
  if (!receipt) co_return answer_of(receipt.error());
  if (receipt->answer) co_return std::move(*receipt->answer);
  const std::string id = receipt->event.str();
  model::HttpResponse answer;
  answer.status = 202;
  answer.headers.push_back({"Content-Type", "application/json"});
  if (receipt->batch) {
    answer.body = batch_body(*receipt->batch);
    co_return answer;
  }
  answer.body = fmt::format("{{\"event_id\":\"{}\",\"delivery_id\":\"{}\",\"status\":\"{}\"}}\n",
                            id, id, model::to_text(receipt->admission));
  co_return answer;
}

}  // namespace grapnel::api
