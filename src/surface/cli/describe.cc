#include "surface/cli/describe.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "model/ids.h"
#include "surface/cli/errors.h"
#include "surface/cli/limits.h"
#include "surface/cli/lists.h"
#include "surface/cli/sheet.h"

namespace grapnel::cli {
namespace {

using boost::json::value;

const boost::json::array& items_of(const value& document, std::string_view path) {
  static const boost::json::array none;
  const auto* found = find_field(document, path);
  return found && found->is_array() ? found->get_array() : none;
}

/// A field for a line of its own, where nothing else makes it safe for a terminal.
std::string shown(const value& row, std::string_view path) {
  return printable(field_text(row, path));
}

std::string or_id(const value& row, std::string_view name, std::string_view id) {
  const std::string text = field_text(row, name);
  return text.empty() ? field_text(row, id) : fmt::format("{} ({})", text, field_text(row, id));
}

/// "120.5 ms (dns 1.2, connect 0.4, first byte 118.9)"
std::string timing_text(const value& attempt) {
  std::string out = field_text(attempt, "duration_ms");
  if (out.empty()) return "";
  out += " ms";
  std::string parts;
  for (const auto& [name, field] :
       {std::pair{"dns", "timings.dns_ms"}, std::pair{"connect", "timings.connect_ms"},
        std::pair{"tls", "timings.tls_ms"}, std::pair{"first byte", "timings.first_byte_ms"}}) {
    const std::string text = field_text(attempt, field);
    if (text.empty()) continue;
    parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", name, text);
  }
  return parts.empty() ? out : fmt::format("{} ({})", out, parts);
}

void show_headers(Sheet& sheet, std::string_view label, const boost::json::array& headers) {
  if (headers.empty()) return;
  Sheet inner = sheet.section(label);
  for (const auto& header : headers) {
    if (!header.is_array() || header.get_array().size() != 2) continue;
    inner.text(printable(
        fmt::format("{}: {}", text_of(header.get_array()[0]), text_of(header.get_array()[1]))));
  }
}

void show_attempt(Sheet& sheet, const value& attempt, const Output& output) {
  const std::string result = shown(attempt, "result");
  const std::string status = shown(attempt, "response_status");
  Sheet inner =
      sheet.section(fmt::format("#{}  {}  {}{}", shown(attempt, "number"),
                                time_with_age(shown(attempt, "started_at"), output.now()),
                                output.painted(result, tone_of(result)),
                                status.empty() ? "" : fmt::format(", answered {}", status)));
  inner.field("Attempt", field_text(attempt, "id"));
  inner.field("Error", field_text(attempt, "error"));
  inner.field("Failed step", field_text(attempt, "step"));
  inner.field("Took", timing_text(attempt));
  const std::string url = field_text(attempt, "request.url");
  if (const auto* request = find_field(attempt, "request"); request && request->is_object()) {
    inner.field("Request",
                fmt::format("{} {}", field_text(*request, "method"),
                            url.empty() ? "(its configuration is not kept any more)" : url));
    inner.field("Request body", field_text(*request, "body_url"));
  }
  inner.field("Configuration", fmt::format("revision {}", field_text(attempt, "action_revision")));
  show_headers(inner, "Request headers", items_of(attempt, "request.headers"));
  show_headers(inner, "Response headers", items_of(attempt, "response_headers"));
  const std::string console = field_text(attempt, "console");
  if (!console.empty()) inner.section("Console").block(console);
  const std::string body = field_text(attempt, "response_body");
  if (!body.empty()) inner.section("Response body (its beginning)").block(body);
}

void show_delivery(Sheet& sheet, const value& delivery, const Output& output) {
  const auto time = [&](std::string_view label, std::string_view field) {
    const std::string text = field_text(delivery, field);
    sheet.field(label, text.empty() ? "" : time_with_age(text, output.now()));
  };
  const std::string state = field_text(delivery, "state");
  sheet.field("Delivery", field_text(delivery, "id"));
  sheet.painted("State", state, tone_of(state));
  sheet.field("Reason", field_text(delivery, "reason"));
  sheet.field("Event", fmt::format("{} ({})", field_text(delivery, "event_id"),
                                   field_text(delivery, "event_type")));
  sheet.field("Source", or_id(delivery, "source", "source_id"));
  sheet.field("Action", or_id(delivery, "action", "action_id"));
  time("Created", "created_at");
  time("Next attempt", "next_attempt_at");
  time("Ended", "ended_at");
  sheet.field("Attempts",
              fmt::format("{}, {} counted as failures", field_text(delivery, "attempts"),
                          field_text(delivery, "tries_used")));
  sheet.field("Last status", field_text(delivery, "last_status"));
  sheet.field("Last error", field_text(delivery, "last_error"));
  sheet.field("Run", field_text(delivery, "run"));
  sheet.field("Replay of", field_text(delivery, "replay_of"));
  sheet.field("Replayed by", field_text(delivery, "replayed_by"));
  const auto mark = [&](std::string_view field, std::string_view text) {
    const auto* flag = find_field(delivery, field);
    if (flag && flag->is_bool() && flag->get_bool()) sheet.field("Note", text);
  };
  mark("cancel_requested", "cancelled as soon as its running attempt ends");
  mark("waits_for_order", "waits until an earlier delivery of its ordering key has ended");
  mark("skipped", "its ordering key went on without it");
}

void show_event(Sheet& sheet, const value& event, const Output& output) {
  const std::string status = field_text(event, "status");
  sheet.field("Event", field_text(event, "id"));
  sheet.field("Type", field_text(event, "type"));
  sheet.field("Source", or_id(event, "source", "source_id"));
  sheet.painted("Status", status, tone_of(status));
  sheet.field("Received", time_with_age(field_text(event, "received_at"), output.now()));
  sheet.field("Request",
              fmt::format("{} {}", field_text(event, "method"), field_text(event, "target")));
  sheet.field("From", field_text(event, "remote"));
  const auto* size = find_field(event, "body_size");
  const bool is_size = size && size->is_int64() && size->get_int64() >= 0;
  sheet.field("Body", is_size ? readable_size(static_cast<std::uint64_t>(size->get_int64())) : "");
  sheet.field("Body SHA-256", field_text(event, "body_sha256"));
  const std::string place = field_text(event, "idempotency_place");
  sheet.field("Idempotency key",
              place.empty()
                  ? ""
                  : fmt::format("{} (from {})", field_text(event, "idempotency_key"), place));
  sheet.field("Ordering key", field_text(event, "ordering_key"));
  sheet.field("Verified by", field_text(event, "verification"));
  sheet.field("Trace", field_text(event, "traceparent"));
  sheet.field("Run", field_text(event, "run"));
  show_headers(sheet, "Headers", items_of(event, "headers"));
}

std::string line_of_delivery(const value& delivery, const Output& output) {
  const std::string state = shown(delivery, "state");
  std::string out = fmt::format("{}  {}  {} attempts", shown(delivery, "id"),
                                output.painted(state, tone_of(state)), shown(delivery, "attempts"));
  const std::string action = shown(delivery, "action");
  if (!action.empty()) out += fmt::format("  to {}", action);
  const std::string error = shown(delivery, "last_error");
  if (!error.empty()) out += fmt::format("  ({})", error);
  return out;
}

/// Fields of a definition as they are, in their order.
void show_definition(Sheet& sheet, const value& definition, const Output& output) {
  const auto* fields = definition.if_object();
  if (!fields) return;
  for (const auto& field : *fields) {
    std::string label = printable(field.key());
    std::ranges::replace(label, '_', ' ');
    if (!label.empty() && label[0] >= 'a' && label[0] <= 'z') {
      label[0] = static_cast<char>(label[0] - 'a' + 'A');
    }
    std::string text = text_of(field.value());
    if (label.ends_with(" at")) text = time_with_age(text, output.now());
    if (text.contains('\n')) {
      sheet.section(label).block(text);
    } else {
      sheet.field(label, text);
    }
  }
}

async::Task<Result<>> describe_delivery(const Output& output, Client& client, std::string id) {
  const std::string path = fmt::format("/api/deliveries/{}", encode_segment(id));
  const auto delivery = co_await client.json({.path = path});
  if (!delivery) co_return fail(delivery.error());
  const auto attempts = co_await client.list(path + "/attempts", {}, kRowsMax);
  if (!attempts) co_return fail(attempts.error());
  if (!output.is_for_people()) {
    output.document(boost::json::object{{"delivery", *delivery}, {"attempts", *attempts}});
    co_return Result<>{};
  }
  Sheet sheet(output);
  show_delivery(sheet, *delivery, output);
  Sheet section = sheet.section("Attempts");
  if (attempts->empty()) section.text("none yet");
  for (const auto& attempt : *attempts) show_attempt(section, attempt, output);
  sheet.print();
  co_return Result<>{};
}

async::Task<Result<>> describe_event(const Output& output, Client& client, std::string id) {
  const auto event =
      co_await client.json({.path = fmt::format("/api/events/{}", encode_segment(id))});
  if (!event) co_return fail(event.error());
  Query query{{"event", id}};
  const auto deliveries = co_await client.list("/api/deliveries", std::move(query), kRowsMax);
  if (!deliveries) co_return fail(deliveries.error());
  if (!output.is_for_people()) {
    output.document(boost::json::object{{"event", *event}, {"deliveries", *deliveries}});
    co_return Result<>{};
  }
  Sheet sheet(output);
  show_event(sheet, *event, output);
  Sheet section = sheet.section("Deliveries");
  if (deliveries->empty()) section.text("none");
  for (const auto& delivery : *deliveries) section.text(line_of_delivery(delivery, output));
  sheet.print();
  co_return Result<>{};
}

/// What is on its way or dead in a source or an action, newest first.
async::Task<Result<>> show_work(Sheet& sheet, const Output& output, Client& client, Query query) {
  constexpr int kShown = kRowsDefault;
  query.emplace_back("state", "pending,running,retrying,dead");
  const auto rows = co_await client.list("/api/deliveries", std::move(query), kShown);
  if (!rows) co_return fail(rows.error());
  Sheet section = sheet.section("Deliveries that are open or dead, the newest");
  if (rows->empty()) section.text("none");
  for (const auto& delivery : *rows) section.text(line_of_delivery(delivery, output));
  co_return Result<>{};
}

async::Task<Result<>> describe_action(const Output& output, Client& client, std::string id) {
  const auto name = parse_action_name(id);
  if (!name) co_return fail(name.error());
  const auto action = co_await client.json({.path = path_of(*name)});
  if (!action) co_return fail(action.error());
  if (!output.is_for_people()) {
    output.document(*action);
    co_return Result<>{};
  }
  Sheet sheet(output);
  sheet.field("Source", name->source);
  show_definition(sheet, *action, output);
  Query query{{"source", name->source}, {"action", field_text(*action, "id")}};
  auto done = co_await show_work(sheet, output, client, std::move(query));
  if (done) sheet.print();
  co_return done;
}

async::Task<Result<>> describe_source(const Output& output, Client& client, std::string slug) {
  const std::string path = fmt::format("/api/sources/{}", encode_segment(slug));
  const auto source = co_await client.json({.path = path});
  if (!source) co_return fail(source.error());
  const auto actions = co_await client.list(path + "/actions", {}, kRowsMax);
  if (!actions) co_return fail(actions.error());
  if (!output.is_for_people()) {
    output.document(boost::json::object{{"source", *source}, {"actions", *actions}});
    co_return Result<>{};
  }
  Sheet sheet(output);
  sheet.field("Webhooks to",
              fmt::format("{}/webhooks/{}", client.server(), field_text(*source, "slug")));
  show_definition(sheet, *source, output);
  Sheet section = sheet.section("Actions");
  if (actions->empty()) section.text("none");
  for (const auto& action : *actions) {
    const std::string state = shown(action, "state");
    const std::string health = shown(action, "health.status");
    const bool has_target = !field_text(action, "target_url").empty();
    section.text(fmt::format("{}  {}, health {}  {}", shown(action, "name"),
                             output.painted(state, tone_of(state)),
                             output.painted(health, tone_of(health)),
                             has_target ? "to " + shown(action, "target_url") : "runs its script"));
  }
  Query query{{"source", field_text(*source, "slug")}};
  auto done = co_await show_work(sheet, output, client, std::move(query));
  if (done) sheet.print();
  co_return done;
}

}  // namespace

async::Task<Result<>> run_describe(const Output& output, Client& client, DescribeOptions options) {
  switch (options.kind) {
    case Kind::source: co_return co_await describe_source(output, client, options.id);
    case Kind::action: co_return co_await describe_action(output, client, options.id);
    case Kind::event: co_return co_await describe_event(output, client, options.id);
    default: break;
  }
  // The original relay calls events deliveries, and so do its users.
  if (options.id.starts_with(model::EventTag::kPrefix)) {
    co_return co_await describe_event(output, client, options.id);
  }
  co_return co_await describe_delivery(output, client, options.id);
}

}  // namespace grapnel::cli
