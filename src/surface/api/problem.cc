#include "surface/api/problem.h"

#include <fmt/format.h>

#include <algorithm>

#include "async/errors.h"
#include "crypto/errors.h"
#include "model/errors.h"
#include "surface/api/limits.h"
#include "telemetry/escape.h"

namespace grapnel::api {
namespace {

struct Kind {
  int status;
  std::string_view name;
};

Kind kind_of_model(model::errc code) {
  switch (code) {
    case model::errc::store_unavailable: return {503, "store-unavailable"};
    case model::errc::store_full: return {503, "store-full"};
    case model::errc::store_read_only: return {503, "store-read-only"};
    case model::errc::not_found: return {404, "not-found"};
    case model::errc::conflict: return {409, "conflict"};
    case model::errc::not_terminal: return {409, "not-ended"};
    case model::errc::already_ended: return {409, "already-ended"};
    case model::errc::already_replayed: return {409, "already-replayed"};
    case model::errc::body_gone: return {409, "body-gone"};
    case model::errc::body_damaged: return {500, "body-damaged"};
    case model::errc::action_deleted: return {409, "action-deleted"};
    case model::errc::endpoint_gone: return {409, "endpoint-gone"};
    case model::errc::old_cursor: return {400, "old-cursor"};
    case model::errc::malformed: return {400, "invalid"};
    case model::errc::too_many: return {409, "too-many"};
  }
  return {500, "internal"};
}

Kind kind_of(const std::error_code& code) {
  if (code.category() == make_error_code(model::errc::not_found).category()) {
    return kind_of_model(static_cast<model::errc>(code.value()));
  }
  if (code == grapnel::errc::malformed || code == grapnel::errc::out_of_range ||
      code == crypto::errc::malformed || code == crypto::errc::too_large) {
    return {400, "invalid"};
  }
  if (code == async::errc::queue_full || code == async::errc::timed_out ||
      code == async::errc::canceled || code == async::errc::stopped) {
    return {503, "busy"};
  }
  return {500, "internal"};
}

void append_errors(std::string& out, std::string_view lines) {
  out += ",\"errors\":[";
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\n'));
    telemetry::append_json_string(out, line);
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    if (!lines.empty()) out += ',';
  }
  out += ']';
}

}  // namespace

std::string_view title_of(int status) {
  const std::string_view name = model::status_name(status);
  return name.empty() ? "Error" : name;
}

model::HttpResponse to_answer(const Problem& problem) {
  model::HttpResponse answer;
  answer.status = problem.status;
  answer.headers = {{"Content-Type", "application/problem+json"}, {"Cache-Control", "no-store"}};
  if (problem.retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*problem.retry_after).count();
    answer.headers.push_back(
        {"Retry-After", fmt::format("{}", std::max<std::int64_t>(seconds, 1))});
  }
  const std::string_view detail = problem.detail;
  const auto first_line = detail.substr(0, detail.find('\n'));
  std::string& out = answer.body;
  out =
      fmt::format("{{\"type\":\"{}{}\",\"title\":\"{}\",\"status\":{},\"detail\":", kProblemPrefix,
                  problem.kind, title_of(problem.status), problem.status);
  telemetry::append_json_string(out, first_line);
  if (first_line.size() != detail.size()) append_errors(out, detail);
  out += "}\n";
  return answer;
}

model::HttpResponse to_answer(const Error& error) {
  const Kind kind = kind_of(error.code);
  Problem problem{kind.status, kind.name, error.message(), {}};
  if (kind.status == 503) problem.retry_after = kRetryAfterStore;
  return to_answer(problem);
}

std::unexpected<model::HttpResponse> refuse(int status, std::string_view kind, std::string detail) {
  return std::unexpected(to_answer(Problem{status, kind, std::move(detail), {}}));
}

std::unexpected<model::HttpResponse> refuse(const Error& error) {
  return std::unexpected(to_answer(error));
}

}  // namespace grapnel::api
