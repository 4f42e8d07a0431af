#include "surface/api/ops_handler.h"

#include <algorithm>
#include <array>

#include "surface/api/answer.h"
#include "surface/api/faults.h"
#include "surface/api/limits.h"

namespace grapnel::api {
namespace {

using model::HttpRequest;
using model::HttpResponse;

constexpr std::array<std::string_view, 4> kPaths{"/metrics", "/healthz", "/health", "/readyz"};

std::optional<HttpResponse> refuse_head(const HttpRequest& head) {
  const auto path = split_target(head.target).path;
  if (std::ranges::find(kPaths, path) == kPaths.end()) {
    return to_answer(Problem{404, "not-found", "nothing is served at this path", {}});
  }
  if (head.method == "GET" || head.method == "HEAD") return std::nullopt;
  auto answer = to_answer(Problem{405, "method", "this path takes GET and HEAD", {}});
  answer.headers.push_back({"Allow", "GET, HEAD"});
  return answer;
}

}  // namespace

std::variant<model::BodyAllowance, HttpResponse> OpsHandler::admit(const HttpRequest& head) {
  if (auto refusal = refuse_head(head)) return std::move(*refusal);
  return model::BodyAllowance{.bytes_max = 0};
}

async::Task<HttpResponse> OpsHandler::handle(HttpRequest request) {
  if (auto refusal = refuse_head(request)) co_return std::move(*refusal);
  const auto path = split_target(request.target).path;
  if (path == "/metrics") co_return co_await metrics();
  if (path == "/readyz") co_return ready();
  co_return json_text_answer(200, "{\"status\":\"ok\"}");
}

async::Task<HttpResponse> OpsHandler::metrics() {
  HttpResponse answer;
  answer.headers = {{"Content-Type", std::string(telemetry::kMetricsContentType)},
                    {"Cache-Control", "no-store"}};
  if (parts_.pool == nullptr) {
    answer.body = parts_.metrics.expose();
    co_return answer;
  }
  const auto gather = [this] { return Result<std::string>(parts_.metrics.expose()); };
  auto text = co_await parts_.pool->run(gather);
  if (!text) co_return to_answer(text.error());
  answer.body = std::move(*text);
  co_return answer;
}

HttpResponse OpsHandler::ready() const {
  if (auto reason = parts_.why_not_ready()) {
    return to_answer(Problem{503, "not-ready", std::move(*reason), kRetryAfterBusy});
  }
  return json_text_answer(200, "{\"status\":\"ready\"}");
}

HttpResponse OpsHandler::fault(model::HttpFault fault, const HttpRequest&) {
  return fault_answer(fault);
}

}  // namespace grapnel::api
