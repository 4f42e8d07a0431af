#include "surface/api/scripts_api.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/utf8.h"
#include "model/errors.h"
#include "model/json_reader.h"
#include "model/script_json.h"
#include "model/texts.h"
#include "pipeline/script_event.h"
#include "pipeline/script_result.h"
#include "surface/api/answer.h"
#include "surface/api/limits.h"
#include "surface/api/lookup.h"

namespace grapnel::api {
namespace {

namespace json = boost::json;
using model::HttpResponse;
using model::ScriptFault;

/// Whose script a route is about.
struct Owner {
  IdBytes id{};
  model::SourcePtr entry;
  model::ActionPtr action;  ///< null: the source itself
  const model::ScriptPtr& script() const { return action ? action->script : entry->source.script; }
};

enum class OwnerKind : std::uint8_t { source, action };

Answer<Owner> find_owner(const Call& call, OwnerKind kind) {
  const auto entry = find_source(call, *call.snapshot, call.params[0]);
  if (!entry) return std::unexpected(entry.error());
  Owner owner{.id = (*entry)->source.id.bytes, .entry = *entry, .action = nullptr};
  if (kind == OwnerKind::source) return owner;
  const auto action = find_action(**entry, call.params[1]);
  if (!action) return std::unexpected(action.error());
  owner.id = (*action)->id.bytes;
  owner.action = *action;
  return owner;
}

HttpResponse no_sandbox(std::string_view why) {
  return to_answer(
      Problem{409,
              "no-sandbox",
              fmt::format("scripts cannot run here: {}", why.empty() ? "there is no sandbox" : why),
              {}});
}

/// The answer of a call that was not made. Nothing: it was, whatever came of it.
std::optional<HttpResponse> not_made(const model::ScriptFailure& failure) {
  switch (failure.fault) {
    case ScriptFault::unavailable: return no_sandbox(failure.message);
    case ScriptFault::busy:
    case ScriptFault::stopped:
      return to_answer(Problem{503, "busy", "scripts cannot run now; try again", kRetryAfterStore});
    default: return std::nullopt;
  }
}

json::object version_view(const Owner& owner, const model::ScriptVersion& version) {
  const auto& current = owner.script();
  return {{"version", version.version},
          {"created_at", to_rfc3339(version.created)},
          {"bytes", version.body.size()},
          {"current", current && current->version == version.version}};
}

template <OwnerKind kind>
async::Task<HttpResponse> list_versions(const Ports& ports, Call call) {
  const auto owner = find_owner(call, kind);
  if (!owner) co_return owner.error();
  const auto versions = co_await ports.store.catalog.scripts(owner->id);
  if (!versions) co_return to_answer(versions.error());
  json::array out;
  for (const auto& version : *versions) out.push_back(version_view(*owner, version));
  co_return json_answer(200, out);
}

template <OwnerKind kind>
async::Task<HttpResponse> get_version(const Ports& ports, Call call) {
  const auto owner = find_owner(call, kind);
  if (!owner) co_return owner.error();
  const auto versions = co_await ports.store.catalog.scripts(owner->id);
  if (!versions) co_return to_answer(versions.error());
  const std::string& wanted = call.params.back();
  int number = 0;
  const char* const end = wanted.data() + wanted.size();
  const bool is_number = std::from_chars(wanted.data(), end, number).ptr == end;
  for (const auto& version : *versions) {
    if (!is_number || version.version != number) continue;
    json::object out = version_view(*owner, version);
    out["script_body"] = valid_utf8(version.body);
    co_return json_answer(200, out);
  }
  co_return to_answer(Problem{
      404,
      "not-found",
      fmt::format("there is no version '{}' of this script; the last {} are kept",
                  valid_utf8(wanted.substr(0, model::kEchoBytesMax)), model::kScriptVersionsMax),
      {}});
}

json::object failure_view(const model::ScriptFailure& failure) {
  return {{"fault", model::to_text(failure.fault)},
          {"message", valid_utf8(failure.message)},
          {"line", failure.line > 0 ? json::value(failure.line) : json::value(nullptr)},
          {"column", failure.column > 0 ? json::value(failure.column) : json::value(nullptr)}};
}

/// What a try shows: what the script returned, what of it could be used, what it wrote.
json::object trial_view(const std::expected<model::ScriptAnswer, model::ScriptFailure>& answer,
                        model::ScriptEntry entry, const model::Event& event,
                        const model::SourceEntry& source) {
  json::object out{{"returned", nullptr}, {"error", nullptr}};
  if (!answer) {
    out["console"] = answer.error().console;
    out["error"] = failure_view(answer.error());
    return out;
  }
  out["console"] = answer->console;
  boost::system::error_code unreadable;
  auto returned = json::parse(answer->result.empty() ? "null" : answer->result, unreadable);
  if (!unreadable) out["returned"] = std::move(returned);
  if (entry != model::ScriptEntry::transform) return out;
  if (auto made = pipeline::read_made(answer->result, event, source); !made) {
    out["error"] = failure_view(
        {.fault = ScriptFault::result, .message = made.error().context, .console = {}});
  }
  return out;
}

struct Trial {
  std::string script_body;
  std::string event;
};

Answer<Trial> read_trial(const Call& call, const Owner& owner) {
  const auto document = read_json(call);
  if (!document) return std::unexpected(document.error());
  model::Mistakes mistakes;
  model::ObjectReader fields(*document, "", mistakes);
  Trial trial;
  trial.script_body = model::take_script_body(fields).value_or("");
  trial.event = fields.text("event_id", 1, model::kNameBytesMax).value_or("");
  fields.finish();
  if (trial.event.empty()) mistakes.add("event_id", "is required: the event to try it on");
  if (trial.script_body.empty() && owner.script()) trial.script_body = owner.script()->body;
  if (trial.script_body.empty()) mistakes.add("script_body", "is required: there is none yet");
  if (mistakes.any()) return refuse(mistakes.error().error());
  return trial;
}

/// Runs a script on a stored event; nothing comes of it.
template <OwnerKind kind>
async::Task<HttpResponse> try_script(const Ports& ports, Call call) {
  const auto owner = find_owner(call, kind);
  if (!owner) co_return owner.error();
  const auto trial = read_trial(call, *owner);
  if (!trial) co_return trial.error();
  const auto event = co_await find_event(ports, call, trial->event, model::Catalog::WithBody::yes);
  if (!event) co_return event.error();
  if (event->source != owner->entry->source.id) {
    co_return to_answer(Problem{422, "invalid", "event_id: expected an event of this source", {}});
  }
  const Trials::Place place(*ports.trials);
  if (!place.taken()) {
    co_return to_answer(Problem{503, "busy", "other scripts are being tried", kRetryAfterBusy});
  }
  const auto entry = owner->action ? model::ScriptEntry::process : model::ScriptEntry::transform;
  const auto script = std::make_shared<const model::Script>(
      model::Script{.body = trial->script_body, .entry = entry, .name = "trial"});
  const auto answer =
      co_await ports.sandbox.run({.script = script,
                                  .event = pipeline::script_event(*event, *owner->entry),
                                  .body = event->body});
  if (!answer) {
    if (auto refusal = not_made(answer.error())) co_return std::move(*refusal);
  }
  co_return json_answer(200, trial_view(answer, entry, *event, *owner->entry));
}

constexpr auto kRead = model::KeyScope::read;
constexpr auto kWrite = model::KeyScope::write;

constexpr std::array kRoutes{
    Route{"GET", "/api/sources/{source}/scripts", "", kRead, Reach::by_source, BodyUse::none,
          list_versions<OwnerKind::source>},
    Route{"POST", "/api/sources/{source}/scripts/try", "", kWrite, Reach::by_source, BodyUse::json,
          try_script<OwnerKind::source>},
    Route{"GET", "/api/sources/{source}/scripts/{version}", "", kRead, Reach::by_source,
          BodyUse::none, get_version<OwnerKind::source>},
    Route{"GET", "/api/sources/{source}/actions/{action}/scripts", "", kRead, Reach::by_source,
          BodyUse::none, list_versions<OwnerKind::action>},
    Route{"POST", "/api/sources/{source}/actions/{action}/scripts/try", "", kWrite,
          Reach::by_source, BodyUse::json, try_script<OwnerKind::action>},
    Route{"GET", "/api/sources/{source}/actions/{action}/scripts/{version}", "", kRead,
          Reach::by_source, BodyUse::none, get_version<OwnerKind::action>},
};

}  // namespace

std::span<const Route> script_routes() { return kRoutes; }

async::Task<std::optional<HttpResponse>> refuse_script(const Ports& ports, model::ScriptPtr before,
                                                       model::ScriptPtr after) {
  if (!after || (before && before->body == after->body)) co_return std::nullopt;
  const model::ScriptFailure failure = co_await ports.sandbox.check(after);
  if (failure.fault == ScriptFault::none) co_return std::nullopt;
  if (auto refusal = not_made(failure)) co_return refusal;
  co_return to_answer(
      Problem{422, "invalid", fmt::format("script_body: {}", valid_utf8(failure.message)), {}});
}

}  // namespace grapnel::api
