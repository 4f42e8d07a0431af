#include "surface/api/handler.h"

#include <fmt/format.h>

#include "surface/api/answer.h"
#include "surface/api/faults.h"
#include "surface/api/ingest_route.h"
#include "surface/api/limits.h"

namespace grapnel::api {
namespace {

using model::HttpRequest;
using model::HttpResponse;

bool is_api(std::string_view path) { return path == "/api" || path.starts_with("/api/"); }
bool is_health(std::string_view path) { return path == "/health" || path == "/healthz"; }
bool reads(std::string_view method) { return method == "GET" || method == "HEAD"; }

HttpResponse not_found() {
  return to_answer(Problem{404, "not-found", "nothing is served at this path", {}});
}

HttpResponse wrong_method(std::string allow) {
  auto answer = to_answer(Problem{405, "method", "this path takes " + allow, {}});
  answer.headers.push_back({"Allow", std::move(allow)});
  return answer;
}

HttpResponse health(const HttpRequest& request) {
  if (!reads(request.method)) return wrong_method("GET, HEAD");
  return json_text_answer(200, "{\"status\":\"ok\"}");
}

}  // namespace

PublicHandler::PublicHandler(Parts parts)
    : parts_(std::move(parts)),
      routes_(api_routes()),
      requests_(parts_.metrics.counters("api_requests_total", "Requests of the REST API.",
                                        {"route", "method", "status"})),
      uses_(parts_.executor, parts_.timers, parts_.ports.store.registry) {
  parts_.ports.trials = &trials_;
}

Answer<PublicHandler::Admitted> PublicHandler::admit_api(const TargetParts& target,
                                                         const HttpRequest& head) const {
  Admitted out;
  out.snapshot = parts_.ports.store.registry.snapshot();
  auto caller = authenticate(parts_.auth, *out.snapshot, head, parts_.ports.store.clock.now());
  if (!caller) return std::unexpected(std::move(caller.error()));
  out.caller = std::move(*caller);
  out.match = match(routes_, head.method, target.path);
  if (out.match.route == nullptr) {
    return std::unexpected(out.match.allow.empty() ? not_found() : wrong_method(out.match.allow));
  }
  auto query = check_call(*out.match.route, out.caller, target.query);
  if (!query) return std::unexpected(std::move(query.error()));
  out.query = std::move(*query);
  return out;
}

std::variant<model::BodyAllowance, HttpResponse> PublicHandler::admit(const HttpRequest& head) {
  const auto target = split_target(head.target);
  if (const auto slug = webhook_slug(target.path)) {
    return admit_webhook(parts_.ingest, *slug, head);
  }
  if (is_health(target.path)) {
    if (!reads(head.method)) return health(head);
    return model::BodyAllowance{.bytes_max = 0};
  }
  if (!is_api(target.path)) return not_found();
  auto admitted = admit_api(target, head);
  if (!admitted) return refused(std::move(admitted.error()));
  return model::BodyAllowance{.bytes_max = reads(head.method) ? 0 : kJsonBytesMax, .payer = "api"};
}

async::Task<HttpResponse> PublicHandler::handle(HttpRequest request) {
  const auto target = split_target(request.target);
  if (const auto slug = webhook_slug(target.path)) {
    std::string name(*slug);
    co_return co_await take_webhook(parts_.ingest, std::move(name), std::move(request));
  }
  if (is_health(target.path)) co_return health(request);
  if (is_api(target.path)) co_return co_await handle_api(std::move(request));
  co_return not_found();
}

async::Task<HttpResponse> PublicHandler::handle_api(HttpRequest request) {
  const auto target = split_target(request.target);
  const std::string path(target.path);
  auto admitted = admit_api(target, request);
  if (!admitted) co_return refused(std::move(admitted.error()));
  const Route& route = *admitted->match.route;
  const Caller caller = admitted->caller;
  if (caller.key) uses_.note(*caller.key, parts_.ports.store.clock.now());
  HttpResponse answer = co_await call_route(std::move(*admitted), path, std::move(request));
  note(route, caller, path, answer.status);
  co_return answer;
}

async::Task<HttpResponse> PublicHandler::call_route(Admitted admitted, std::string path,
                                                    HttpRequest request) {
  const Route& route = *admitted.match.route;
  if (route.body == BodyUse::none) {
    if (auto refusal = refuse_body(request)) co_return std::move(*refusal);
  }
  Call call{.params = std::move(admitted.match.params),
            .query = std::move(admitted.query),
            .path = std::move(path),
            .caller = std::move(admitted.caller),
            .snapshot = std::move(admitted.snapshot)};
  call.request = std::move(request);
  co_return co_await route.endpoint(parts_.ports, std::move(call));
}

/// What never reached a route is counted without one: paths and methods are the caller's words.
HttpResponse PublicHandler::refused(HttpResponse answer) {
  requests_.with({"none", "any", fmt::format("{}", answer.status)}).inc();
  return answer;
}

/// Changes are worth a line each: who, what, and whether it was done. Never a body or a query.
void PublicHandler::note(const Route& route, const Caller& caller, const std::string& path,
                         int status) {
  requests_.with({route.pattern, route.method, fmt::format("{}", status)}).inc();
  if (route.method == "GET") return;
  parts_.journal.info("api change",
                      {{"method", route.method},
                       {"path", path},
                       {"status", status},
                       {"key", caller.key ? caller.key->str() : std::string("admin")}});
}

HttpResponse PublicHandler::fault(model::HttpFault fault, const HttpRequest& head) {
  auto answer = fault_answer(fault);
  return is_api(split_target(head.target).path) ? refused(std::move(answer)) : answer;
}

}  // namespace grapnel::api
