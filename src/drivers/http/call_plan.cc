#include "drivers/http/call_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/units.h"

namespace grapnel::http {
namespace {

namespace asio = boost::asio;
using model::AttemptStep;

/// Fields that the driver alone writes.
bool is_ours(std::string_view name) {
  switch (name.size()) {
    case 4: return model::same_name(name, "Host");
    case 6: return model::same_name(name, "Expect");
    case 10: return model::same_name(name, "Connection");
    case 14: return model::same_name(name, "Content-Length");
    case 17: return model::same_name(name, "Transfer-Encoding");
    default: return false;
  }
}

std::optional<std::string> find_mistake(const model::HttpCall& call) {
  if (!model::is_header_name(call.method)) return "the method is no HTTP method";
  for (const auto& [name, value] : call.headers) {
    if (!model::is_header_name(name)) {
      return "a header name holds characters that HTTP forbids";
    }
    if (!model::is_header_value(value)) {
      return fmt::format("the value of header {} holds characters that HTTP forbids", name);
    }
  }
  return std::nullopt;
}

bool goes_without_body(const model::HttpCall& call) {
  return call.body.empty() &&
         (call.method == "GET" || call.method == "HEAD" || call.method == "DELETE");
}

}  // namespace

std::expected<CallPlan, model::HttpFailure> plan_call(model::HttpCall call, Monotonic now) {
  auto url = parse_url(call.url);
  if (!url) return std::unexpected(failed_at(AttemptStep::prepare, url.error().message()));
  if (auto mistake = find_mistake(call)) {
    return std::unexpected(failed_at(AttemptStep::prepare, std::move(*mistake)));
  }
  CallPlan plan{.call = std::move(call),
                .url = std::move(*url),
                .where = {},
                .started = now,
                .deadline = now};
  plan.deadline += plan.call.timeout;
  const bool brackets = plan.url.address && !plan.url.address->is_v4();
  plan.where = brackets ? fmt::format("[{}]:{}", plan.url.host, plan.url.port)
                        : fmt::format("{}:{}", plan.url.host, plan.url.port);
  return plan;
}

void write_request_head(const CallPlan& plan, std::string& out) {
  const model::HttpCall& call = plan.call;
  out.clear();
  out += call.method;
  out += ' ';
  out += plan.url.target;
  out += " HTTP/1.1\r\nHost: ";
  out += plan.url.authority;
  for (const auto& [name, value] : call.headers) {
    if (is_ours(name)) continue;
    out += "\r\n";
    out += name;
    out += ": ";
    out += value;
  }
  if (!goes_without_body(call)) {
    out += "\r\nContent-Length: ";
    const fmt::format_int digits(call.body.size());
    out.append(digits.data(), digits.size());
  }
  out += "\r\n\r\n";
}

async::Task<std::optional<model::HttpFailure>> interruption(const CallPlan& plan,
                                                            const ClientConnection& connection,
                                                            std::string_view doing) {
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) co_return canceled_call();
  if (connection.expired()) co_return timed_out_call(plan, doing);
  co_return std::nullopt;
}

model::HttpFailure canceled_call() { return failed_at(AttemptStep::none, "canceled"); }

model::HttpFailure timed_out_call(const CallPlan& plan, std::string_view doing) {
  return failed_at(AttemptStep::timeout,
                   fmt::format("timed out after {} while {} {}", format_duration(plan.call.timeout),
                               doing, plan.where));
}

model::HttpFailure failed_at(AttemptStep step, std::string message) {
  return {.step = step, .message = std::move(message), .timings = {}};
}

std::int32_t to_micros(Monotonic::duration duration) {
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>(count, 0, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace grapnel::http
