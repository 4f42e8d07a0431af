#include "surface/cli/lists.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <array>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "surface/cli/errors.h"
#include "surface/cli/limits.h"

namespace grapnel::cli {
namespace {

constexpr std::array kSourceColumns{
    Column{"SLUG", "slug"},
    Column{"NAME", "name"},
    Column{"MODE", "mode", Cell::state},
    Column{"MANAGED BY", "managed_by"},
    Column{"AGE", "created_at", Cell::age},
    Column{"ID", "id", Cell::text, true},
    Column{"BODY MAX", "body_max", Cell::text, true},
    Column{"ORDERING KEY", "ordering_key", Cell::text, true},
    Column{"REVISION", "revision", Cell::text, true},
};
constexpr std::array kActionColumns{
    Column{"SOURCE", "source"},
    Column{"NAME", "name"},
    Column{"STATE", "state", Cell::state},
    Column{"HEALTH", "health.status|health", Cell::state},
    Column{"TARGET", "target_url"},
    Column{"AGE", "created_at", Cell::age},
    Column{"ID", "id", Cell::text, true},
    Column{"EVENT TYPES", "event_types", Cell::text, true},
    Column{"SIGNATURES", "signature_schemes", Cell::text, true},
    Column{"MANAGED BY", "managed_by", Cell::text, true},
    Column{"REVISION", "revision", Cell::text, true},
};
constexpr std::array kEventColumns{
    Column{"ID", "id"},
    Column{"SOURCE", "source|source_id"},
    Column{"TYPE", "type"},
    Column{"STATUS", "status", Cell::state},
    Column{"SIZE", "body_size", Cell::size},
    Column{"AGE", "received_at", Cell::age},
    Column{"IDEMPOTENCY KEY", "idempotency_key", Cell::text, true},
    Column{"ORDERING KEY", "ordering_key", Cell::text, true},
    Column{"REMOTE", "remote", Cell::text, true},
    Column{"RECEIVED", "received_at", Cell::text, true},
};
constexpr std::array kDeliveryColumns{
    Column{"ID", "id"},
    Column{"SOURCE", "source|source_id"},
    Column{"ACTION", "action|action_id"},
    Column{"TYPE", "event_type"},
    Column{"STATE", "state", Cell::state},
    Column{"ATTEMPTS", "attempts"},
    Column{"STATUS", "last_status"},
    Column{"NEXT", "next_attempt_at", Cell::age},
    Column{"AGE", "created_at", Cell::age},
    Column{"EVENT", "event_id", Cell::text, true},
    Column{"ENDED", "ended_at", Cell::text, true},
    Column{"REASON", "reason", Cell::text, true},
    Column{"LAST ERROR", "last_error", Cell::text, true},
};
constexpr std::array kDeadColumns{
    Column{"ID", "id"},
    Column{"SOURCE", "source|source_id"},
    Column{"ACTION", "action|action_id"},
    Column{"TYPE", "event_type"},
    Column{"REASON", "reason"},
    Column{"ATTEMPTS", "attempts"},
    Column{"DIED", "ended_at", Cell::age},
    Column{"LAST ERROR", "last_error"},
    Column{"EVENT", "event_id", Cell::text, true},
};
constexpr std::array kKeyColumns{
    Column{"ID", "id"},
    Column{"NAME", "name"},
    Column{"SCOPE", "scope"},
    Column{"SOURCES", "sources"},
    Column{"EXPIRES", "expires_at", Cell::age},
    Column{"LAST USED", "last_used_at", Cell::age},
    Column{"AGE", "created_at", Cell::age},
};
constexpr std::array kReplayColumns{
    Column{"ID", "id"},
    Column{"STATE", "state", Cell::state},
    Column{"SOURCE", "filter.source|filter.source_id"},
    Column{"MATCHED", "matched"},
    Column{"REPLAYED", "replayed"},
    Column{"SKIPPED", "skipped"},
    Column{"AGE", "created_at", Cell::age},
    Column{"ACTION", "filter.action_id", Cell::text, true},
    Column{"REASON", "filter.reason", Cell::text, true},
    Column{"ENDED", "ended_at", Cell::text, true},
};

std::string_view path_of(Kind kind) {
  switch (kind) {
    case Kind::source: return "/api/sources";
    case Kind::action: return "";
    case Kind::event: return "/api/events";
    case Kind::delivery: return "/api/deliveries";
    case Kind::dead_letter: return "/api/dead-letters";
    case Kind::key: return "/api/keys";
    case Kind::replay: return "/api/replays";
  }
  return "";
}

/// An option, the parameter it becomes, and the kinds that take it.
struct Narrowing {
  std::string_view option;
  std::string_view parameter;
  const std::optional<std::string>& value;
  std::vector<Kind> kinds;
};

Result<Query> query_of(const GetOptions& options, Time now) {
  const std::vector<Kind> work{Kind::event, Kind::delivery, Kind::dead_letter};
  const std::vector<Kind> deliveries{Kind::delivery, Kind::dead_letter};
  const std::vector<Kind> of_source{Kind::action, Kind::event, Kind::delivery, Kind::dead_letter};
  const bool is_event = options.kind == Kind::event;
  const std::array narrowings{
      Narrowing{"--source", "source", options.source, of_source},
      Narrowing{"--action", "action", options.action, deliveries},
      Narrowing{"--event", "event", options.event, {Kind::delivery}},
      Narrowing{
          "--state", is_event ? "status" : "state", options.state, {Kind::event, Kind::delivery}},
      Narrowing{"--type", "type", options.type, {Kind::event}},
      Narrowing{"--reason", "reason", options.reason, {Kind::dead_letter}},
      Narrowing{"--from", "from", options.from, work},
      Narrowing{"--to", "to", options.to, work},
  };
  Query query;
  for (const auto& narrowing : narrowings) {
    if (!narrowing.value) continue;
    if (std::ranges::find(narrowing.kinds, options.kind) == narrowing.kinds.end()) {
      return fail(errc::usage, fmt::format("{} does not narrow this list", narrowing.option));
    }
    std::string value = *narrowing.value;
    if (narrowing.parameter == "from" || narrowing.parameter == "to") {
      auto time = time_of(narrowing.option, value, now, Direction::ago);
      if (!time) return fail(std::move(time.error()));
      value = std::move(*time);
    }
    query.emplace_back(narrowing.parameter, std::move(value));
  }
  return query;
}

async::Task<Result<boost::json::array>> list_actions(Client& client, const GetOptions& options,
                                                     int rows_max) {
  std::vector<std::string> slugs;
  if (options.source) {
    slugs.push_back(*options.source);
  } else {
    const auto sources = co_await client.list("/api/sources", {}, kRowsMax);
    if (!sources) co_return fail(sources.error());
    for (const auto& source : *sources) slugs.push_back(field_text(source, "slug"));
  }
  boost::json::array rows;
  for (const auto& slug : slugs) {
    const int left = rows_max - static_cast<int>(rows.size());
    if (left <= 0) break;
    auto actions = co_await client.list(
        fmt::format("/api/sources/{}/actions", encode_segment(slug)), {}, left);
    if (!actions) co_return fail(std::move(actions.error()));
    for (auto& action : *actions) {
      if (auto* fields = action.if_object()) (*fields)["source"] = slug;
      rows.push_back(std::move(action));
    }
  }
  co_return rows;
}

async::Task<Result<boost::json::value>> read_one(Client& client, const GetOptions& options) {
  if (options.kind == Kind::action) {
    auto name = parse_action_name(
        options.source ? fmt::format("{}/{}", *options.source, *options.name) : *options.name);
    if (!name) co_return fail(std::move(name.error()));
    auto action = co_await client.json({.path = path_of(*name)});
    if (action && action->is_object()) action->get_object()["source"] = name->source;
    co_return action;
  }
  if (options.kind == Kind::key) {
    co_return fail(errc::usage, "keys have no page of their own; get keys lists them all");
  }
  const Kind kind = options.kind == Kind::dead_letter ? Kind::delivery : options.kind;
  co_return co_await client.json(
      {.path = fmt::format("{}/{}", path_of(kind), encode_segment(*options.name))});
}

}  // namespace

std::span<const Column> columns_of(Kind kind) {
  switch (kind) {
    case Kind::source: return kSourceColumns;
    case Kind::action: return kActionColumns;
    case Kind::event: return kEventColumns;
    case Kind::delivery: return kDeliveryColumns;
    case Kind::dead_letter: return kDeadColumns;
    case Kind::key: return kKeyColumns;
    case Kind::replay: return kReplayColumns;
  }
  return {};
}

async::Task<Result<>> run_get(const Output& output, Client& client, GetOptions options) {
  auto query = query_of(options, output.now());
  if (!query) co_return fail(std::move(query.error()));
  if (options.name) {
    auto one = co_await read_one(client, options);
    if (!one) co_return fail(std::move(one.error()));
    if (output.is_for_people()) {
      boost::json::array rows;
      rows.push_back(std::move(*one));
      output.rows(rows, columns_of(options.kind), "nothing");
    } else {
      output.document(*one);
    }
    co_return Result<>{};
  }
  // One row more than asked for tells whether there are more.
  const int wanted = options.all ? kRowsMax : options.limit;
  auto rows =
      options.kind == Kind::action
          ? co_await list_actions(client, options, wanted + 1)
          : co_await client.list(std::string(path_of(options.kind)), std::move(*query), wanted + 1);
  if (!rows) co_return fail(std::move(rows.error()));
  const bool has_more = rows->size() > static_cast<std::size_t>(wanted);
  if (has_more) rows->resize(static_cast<std::size_t>(wanted));
  output.rows(*rows, columns_of(options.kind), "nothing found");
  if (has_more) {
    output.note(fmt::format("the first {} are shown; there are more (--limit, --all)", wanted));
  }
  co_return Result<>{};
}

Result<std::string> time_of(std::string_view option, std::string_view text, Time now,
                            Direction direction) {
  if (const auto time = parse_rfc3339(text)) return to_rfc3339(*time);
  const auto duration = parse_duration(text);
  if (!duration) {
    return fail(
        errc::usage,
        fmt::format("{}: expected a time such as 2026-01-02T03:04:05Z or a duration such as "
                    "90m, given '{}'",
                    option, printable(text)));
  }
  return to_rfc3339(direction == Direction::ago ? now - *duration : now + *duration);
}

Result<ActionName> parse_action_name(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) {
    return fail(errc::usage, fmt::format("expected SOURCE/ACTION such as demo/echo, given '{}'",
                                         printable(text)));
  }
  return ActionName{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

std::string path_of(const ActionName& name) {
  return fmt::format("/api/sources/{}/actions/{}", encode_segment(name.source),
                     encode_segment(name.action));
}

}  // namespace grapnel::cli
