#include "surface/api/lookup.h"

#include <fmt/format.h>

#include "base/utf8.h"
#include "model/texts.h"
#include "model/transform.h"

namespace grapnel::api {
namespace {

/// A name as far as it may be repeated in a sentence.
std::string shown(std::string_view text) {
  return valid_utf8(text.substr(0, model::kEchoBytesMax));
}

std::unexpected<model::HttpResponse> no_such(std::string_view what, std::string_view name) {
  return refuse(404, "not-found", fmt::format("there is no {} '{}'", what, shown(name)));
}

Answer<std::optional<Time>> read_time(std::string_view name, std::optional<std::string_view> text) {
  if (!text) return std::optional<Time>{};
  const auto time = parse_rfc3339(*text);
  if (time) return std::optional<Time>{*time};
  return refuse(400, "invalid",
                fmt::format("{}: expected a time such as 2026-01-02T03:04:05Z, given '{}'", name,
                            shown(*text)));
}

Answer<model::SourceId> read_source(const Call& call, std::string_view text) {
  if (const auto entry = find_source(call, *call.snapshot, text)) return (*entry)->source.id;
  // The history of a deleted source has its id only.
  const auto id = model::SourceId::parse(text);
  if (!id || !call.caller.sees(*id)) return no_such("source", text);
  return *id;
}

Answer<model::ActionId> read_action(const Call& call, std::optional<model::SourceId> source,
                                    std::string_view text) {
  // An id of another source's action matches nothing that the caller sees.
  if (const auto id = model::ActionId::parse(text)) return *id;
  const auto entry = source ? call.snapshot->find_source(*source) : nullptr;
  if (!entry) {
    return refuse(400, "invalid", "action: expected an id (act_…), or its name beside its source");
  }
  const auto action = find_action(*entry, text);
  if (!action) return std::unexpected(action.error());
  return (*action)->id;
}

/// A transform is the source's own, shown as its script.
bool is_shown(const model::Action& action) {
  return !action.deleting && !model::is_transform(action);
}

}  // namespace

Answer<model::SourcePtr> find_source(const Call& call, const model::RegistrySnapshot& snapshot,
                                     std::string_view name) {
  auto entry = snapshot.find_source(name);
  if (!entry) {
    if (const auto id = model::SourceId::parse(name)) entry = snapshot.find_source(*id);
  }
  if (!entry || entry->source.deleting || !call.caller.sees(entry->source.id)) {
    return no_such("source", name);
  }
  return entry;
}

Answer<model::ActionPtr> find_action(const model::SourceEntry& entry, std::string_view name) {
  const auto id = model::ActionId::parse(name);
  for (const auto& action : entry.actions) {
    if (is_shown(*action) && id && action->id == *id) return action;
  }
  for (const auto& action : entry.actions) {
    if (is_shown(*action) && action->name == name) return action;
  }
  return no_such("action", name);
}

async::Task<Answer<model::Delivery>> find_delivery(const Ports& ports, const Call& call,
                                                   std::string_view text) {
  const auto id = model::DeliveryId::parse(text);
  if (!id) co_return no_such("delivery", text);
  auto found = co_await ports.store.catalog.delivery(*id);
  if (!found) co_return refuse(found.error());
  if (!*found || !call.caller.sees((*found)->source)) co_return no_such("delivery", text);
  co_return std::move(**found);
}

async::Task<Answer<model::Event>> find_event(const Ports& ports, const Call& call,
                                             std::string_view text, model::Catalog::WithBody body) {
  const auto id = model::EventId::parse(text);
  if (!id) co_return no_such("event", text);
  // Without its body first: whether a body is damaged or gone is nobody's business but the owner's.
  auto found = co_await ports.store.catalog.event(*id, model::Catalog::WithBody::no);
  if (!found) co_return refuse(found.error());
  if (!*found || !call.caller.sees((*found)->source)) co_return no_such("event", text);
  if (body == model::Catalog::WithBody::yes) {
    found = co_await ports.store.catalog.event(*id, body);
    if (!found) co_return refuse(found.error());
    if (!*found) co_return no_such("event", text);
  }
  co_return std::move(**found);
}

FilterTexts filter_texts(const Query& query) {
  return {.source = query.find("source"),
          .action = query.find("action"),
          .from = query.find("from"),
          .to = query.find("to")};
}

Answer<Filter> read_filter(const Call& call, const FilterTexts& texts) {
  Filter filter;
  if (texts.source) {
    const auto source = read_source(call, *texts.source);
    if (!source) return std::unexpected(source.error());
    filter.source = *source;
  }
  if (texts.action) {
    const auto action = read_action(call, filter.source, *texts.action);
    if (!action) return std::unexpected(action.error());
    filter.action = *action;
  }
  const auto from = read_time("from", texts.from);
  if (!from) return std::unexpected(from.error());
  const auto to = read_time("to", texts.to);
  if (!to) return std::unexpected(to.error());
  filter.from = *from;
  filter.to = *to;
  return filter;
}

Answer<std::optional<model::Cursor>> read_cursor(const Call& call) {
  const auto text = call.query.find("cursor");
  if (!text) return std::optional<model::Cursor>{};
  const auto cursor = model::Cursor::parse(*text);
  if (!cursor) return refuse(cursor.error());
  return std::optional<model::Cursor>{*cursor};
}

async::Task<model::Event> as_run_sends(const Ports& ports, model::Event event, int run) {
  auto read = co_await ports.store.log.read({{event.seq, run}});
  if (!read || !read->front() || !*read->front()) co_return event;
  model::Event sent = **read->front();
  sent.body.clear();
  co_return sent;
}

}  // namespace grapnel::api
