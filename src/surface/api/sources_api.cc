#include "surface/api/sources_api.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <array>

#include "model/errors.h"
#include "model/source_json.h"
#include "model/stored_json.h"
#include "surface/api/answer.h"
#include "surface/api/limits.h"
#include "surface/api/lookup.h"
#include "surface/api/owner.h"
#include "surface/api/page.h"
#include "surface/api/scripts_api.h"
#include "surface/api/source_secrets.h"

namespace grapnel::api {
namespace {

using model::HttpResponse;
using model::Source;

HttpResponse source_answer(const Call& call, int status, const Source& source,
                           const MadeSecrets& made = {}) {
  auto out = model::to_json(source);
  show_verification(source, out);
  show_once(made, out);
  return tagged_answer(call, status, out, source.revision);
}

HttpResponse slug_taken(std::string_view slug) {
  return to_answer(Problem{
      409, "name-taken", fmt::format("a source with the slug '{}' exists already", slug), {}});
}

async::Task<HttpResponse> list_sources(const Ports&, Call call) {
  std::vector<model::SourcePtr> all;
  for (const auto& [id, entry] : call.snapshot->sources) {
    if (!entry->source.deleting && call.caller.sees(id)) all.push_back(entry);
  }
  auto page = take_page(call, std::move(all), [](const auto& entry) { return entry->source.id; });
  if (!page) co_return std::move(page.error());
  boost::json::array out;
  for (const auto& entry : page->items) {
    auto& shown = out.emplace_back(model::to_json(entry->source)).get_object();
    show_verification(entry->source, shown);
  }
  auto answer = json_answer(200, out);
  if (!page->next.empty()) add_next(answer, call, page->next);
  co_return answer;
}

async::Task<HttpResponse> get_source(const Ports&, Call call) {
  const auto entry = find_source(call, *call.snapshot, call.params[0]);
  if (!entry) co_return entry.error();
  co_return source_answer(call, 200, (*entry)->source);
}

async::Task<HttpResponse> create_source(const Ports& ports, Call call) {
  const auto actor = read_actor(call);
  if (!actor) co_return actor.error();
  const auto document = read_json(call);
  if (!document) co_return document.error();
  const auto patch = model::parse_source_patch(*document);
  if (!patch) co_return to_answer(patch.error());
  Source source{.id = ports.ids.make<model::SourceId>()};
  source.managed_by = actor->as;
  if (const auto applied = model::apply(*patch, source); !applied) {
    co_return to_answer(applied.error());
  }
  const auto made = settle_inbound(ports, patch->inbound, source);
  if (!made) co_return made.error();
  if (call.snapshot->find_source(source.slug)) co_return slug_taken(source.slug);
  if (auto refusal = co_await refuse_script(ports, nullptr, source.script)) {
    co_return std::move(*refusal);
  }
  const auto done = co_await ports.store.registry.commit({model::PutSource{source, 0}});
  if (!done) {
    co_return done.error().code == model::errc::conflict ? slug_taken(source.slug)
                                                         : to_answer(done.error());
  }
  auto answer = source_answer(call, 201, (*done)->find_source(source.id)->source, *made);
  answer.headers.push_back({"Location", fmt::format("/api/sources/{}", source.slug)});
  co_return answer;
}

/// One try of a change; nothing when the source was changed meanwhile.
async::Task<std::optional<HttpResponse>> commit_source(const Ports& ports, const Call& call,
                                                       Source source, MadeSecrets made = {}) {
  const auto id = source.id;
  const model::Revision expected = source.revision;
  const auto done =
      co_await ports.store.registry.commit({model::PutSource{std::move(source), expected}});
  if (done) co_return source_answer(call, 200, (*done)->find_source(id)->source, made);
  if (done.error().code == model::errc::conflict) co_return std::nullopt;
  co_return to_answer(done.error());
}

async::Task<HttpResponse> patch_source(const Ports& ports, Call call) {
  const auto named = find_source(call, *call.snapshot, call.params[0]);
  if (!named) co_return named.error();
  const auto actor = read_actor(call);
  if (!actor) co_return actor.error();
  const auto document = read_json(call);
  if (!document) co_return document.error();
  const auto patch = model::parse_source_patch(*document);
  if (!patch) co_return to_answer(patch.error());
  for (int tries = 0; tries < kChangeTriesMax; ++tries) {
    const auto snapshot = ports.store.registry.snapshot();
    const auto entry = find_source(call, *snapshot, call.params[0]);
    if (!entry) co_return entry.error();
    const Source& before = (*entry)->source;
    if (auto refusal = check_if_match(call, before.revision)) co_return std::move(*refusal);
    if (auto refusal = refuse_other_owner(*actor, before.managed_by, "source", before.slug)) {
      co_return std::move(*refusal);
    }
    Source after = before;
    after.managed_by = owner_after(*actor, before.managed_by);
    if (const auto applied = model::apply(*patch, after); !applied) {
      co_return to_answer(applied.error());
    }
    // The secrets of one provider are none of another's.
    if (after.inbound.provider != before.inbound.provider) after.inbound.secrets.clear();
    auto made = settle_inbound(ports, patch->inbound, after);
    if (!made) co_return std::move(made.error());
    if (model::to_stored(after) == model::to_stored(before)) {
      co_return source_answer(call, 200, before);
    }
    if (after.slug != before.slug && snapshot->find_source(after.slug)) {
      co_return slug_taken(after.slug);
    }
    if (auto refusal = co_await refuse_script(ports, before.script, after.script)) {
      co_return std::move(*refusal);
    }
    if (auto answer = co_await commit_source(ports, call, std::move(after), std::move(*made))) {
      co_return std::move(*answer);
    }
  }
  co_return changed_meanwhile(call);
}

std::int64_t open_work(const Ports& ports, const model::SourceEntry& entry) {
  std::int64_t open = ports.store.log.held_work(entry.source.id).count;
  for (const auto& action : entry.actions) open += ports.store.book.open_work(action->id).count();
  return open;
}

async::Task<HttpResponse> delete_source(const Ports& ports, Call call) {
  const auto actor = read_actor(call);
  if (!actor) co_return actor.error();
  for (int tries = 0; tries < kChangeTriesMax; ++tries) {
    const auto entry = find_source(call, *ports.store.registry.snapshot(), call.params[0]);
    if (!entry) co_return entry.error();
    Source source = (*entry)->source;
    if (auto refusal = check_if_match(call, source.revision)) co_return std::move(*refusal);
    if (auto refusal = refuse_other_owner(*actor, source.managed_by, "source", source.slug)) {
      co_return std::move(*refusal);
    }
    if (auto refusal = refuse_open_work(*actor, open_work(ports, **entry), "source", source.slug)) {
      co_return std::move(*refusal);
    }
    source.deleting = true;
    const auto answer = co_await commit_source(ports, call, std::move(source));
    if (answer) co_return answer->status == 200 ? empty_answer(204) : *answer;
  }
  co_return changed_meanwhile(call);
}

constexpr std::array kRoutes{
    Route{"GET", "/api/sources", "limit cursor", model::KeyScope::read, Reach::by_source,
          BodyUse::none, list_sources},
    Route{"POST", "/api/sources", "force", model::KeyScope::write, Reach::whole, BodyUse::json,
          create_source},
    Route{"GET", "/api/sources/{source}", "", model::KeyScope::read, Reach::by_source,
          BodyUse::none, get_source},
    Route{"PATCH", "/api/sources/{source}", "force", model::KeyScope::write, Reach::by_source,
          BodyUse::json, patch_source},
    Route{"DELETE", "/api/sources/{source}", "force", model::KeyScope::write, Reach::by_source,
          BodyUse::none, delete_source},
};

}  // namespace

std::span<const Route> source_routes() { return kRoutes; }

}  // namespace grapnel::api
