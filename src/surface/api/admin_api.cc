#include "surface/api/admin_api.h"

#include <fmt/format.h>

#include <array>

#include "base/utf8.h"
#include "base/version.h"
#include "model/errors.h"
#include "model/json_reader.h"
#include "model/texts.h"
#include "model/transform.h"
#include "surface/api/answer.h"
#include "surface/api/limits.h"

namespace grapnel::api {
namespace {

using model::HttpResponse;

/// What the caller sees, counted.
struct Totals {
  std::int64_t sources = 0;
  std::int64_t actions = 0;
  model::OpenWork open;
  model::HeldWork held;
};

Totals totals_of(const Ports& ports, const Call& call) {
  Totals out;
  for (const auto& [id, entry] : call.snapshot->sources) {
    if (!call.caller.sees(id)) continue;
    if (!entry->source.deleting) ++out.sources;
    const auto held = ports.store.log.held_work(id);
    out.held.count += held.count;
    out.held.bytes += held.bytes;
    for (const auto& action : entry->actions) {
      const bool counts = !entry->source.deleting && !action->deleting;
      if (counts && !model::is_transform(*action)) ++out.actions;
      const auto open = ports.store.book.open_work(action->id);
      out.open.pending += open.pending;
      out.open.running += open.running;
      out.open.retrying += open.retrying;
      out.open.bytes += open.bytes;
    }
  }
  return out;
}

async::Task<HttpResponse> get_status(const Ports& ports, Call call) {
  const auto dead = co_await ports.store.catalog.count_dead(call.caller.sources, {});
  const auto health = ports.store.upkeep.health();
  const Totals totals = totals_of(ports, call);
  boost::json::object out;
  out["version"] = kVersion;
  out["time"] = to_rfc3339(ports.store.clock.now());
  out["epoch"] = health.epoch;
  out["store"] = {{"writable", health.writable},
                  {"reason", valid_utf8(health.reason)},
                  {"wal_bytes", health.wal_bytes}};
  out["sources"] = totals.sources;
  out["actions"] = totals.actions;
  out["open"] = {{"pending", totals.open.pending},
                 {"running", totals.open.running},
                 {"retrying", totals.open.retrying},
                 {"bytes", totals.open.bytes}};
  out["held"] = {{"count", totals.held.count}, {"bytes", totals.held.bytes}};
  // A store that cannot be read is what this answer is asked for: it says so instead of failing.
  out["dead_letters"] = dead ? boost::json::value(*dead) : boost::json::value(nullptr);
  co_return json_answer(200, out);
}

async::Task<HttpResponse> make_backup(const Ports& ports, Call call) {
  const auto document = read_json(call);
  if (!document) co_return document.error();
  model::Mistakes mistakes;
  model::ObjectReader fields(*document, "", mistakes);
  auto folder = fields.text("folder", 1, kFolderBytesMax);
  if (folder && (!folder->starts_with('/') || folder->find('\0') != std::string::npos)) {
    mistakes.add("folder",
                 "expected an absolute path on the server, of a folder that does not exist yet");
  } else if (!folder && !mistakes.any()) {
    mistakes.add("folder", "is required");
  }
  fields.finish();
  if (mistakes.any()) co_return to_answer(mistakes.error().error());
  const auto done = co_await ports.store.upkeep.backup(*folder);
  if (!done) co_return to_answer(done.error());
  co_return json_answer(201, {{"folder", valid_utf8(*folder)}});
}

constexpr std::array kRoutes{
    Route{"GET", "/api/status", "", model::KeyScope::read, Reach::by_source, BodyUse::none,
          get_status},
    Route{"POST", "/api/backup", "", model::KeyScope::admin, Reach::whole, BodyUse::json,
          make_backup},
};

}  // namespace

std::span<const Route> admin_routes() { return kRoutes; }

}  // namespace grapnel::api
