#include "surface/api/keys_api.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "crypto/token.h"
#include "model/errors.h"
#include "model/json_reader.h"
#include "model/texts.h"
#include "surface/api/answer.h"
#include "surface/api/limits.h"
#include "surface/api/lookup.h"
#include "surface/api/page.h"
#include "surface/api/views.h"

namespace grapnel::api {
namespace {

using model::ApiKey;
using model::HttpResponse;

async::Task<HttpResponse> list_keys(const Ports&, Call call) {
  std::vector<ApiKey> all;
  for (const auto& [id, key] : call.snapshot->keys) all.push_back(key);
  auto page = take_page(call, std::move(all), [](const ApiKey& key) { return key.id; });
  if (!page) co_return std::move(page.error());
  boost::json::array out;
  for (const auto& key : page->items) out.push_back(key_view(key, *call.snapshot));
  auto answer = json_answer(200, out);
  if (!page->next.empty()) add_next(answer, call, page->next);
  co_return answer;
}

/// "sources": absent or null means all. An empty list would mean all as well where it is stored, so
/// it is refused rather than taken for "none".
void read_sources(const Call& call, model::ObjectReader& fields, ApiKey& key) {
  const auto* given = fields.take("sources");
  if (given == nullptr || given->is_null()) return;
  const auto names = fields.text_list("sources", model::kSourcesMax, model::kNameBytesMax);
  if (!names) return;
  if (names->empty()) {
    fields.mistakes().add("sources", "expected at least one slug; leave it out for all sources");
  }
  if (key.scope == model::KeyScope::admin) {
    fields.mistakes().add("sources", "a key of scope admin cannot be limited to sources");
  }
  for (const auto& name : *names) {
    const auto entry = find_source(call, *call.snapshot, name);
    if (!entry) {
      fields.mistakes().add("sources", fmt::format("there is no source '{}'", valid_utf8(name)));
    } else if (std::ranges::find(key.sources, (*entry)->source.id) == key.sources.end()) {
      key.sources.push_back((*entry)->source.id);
    }
  }
}

Answer<ApiKey> read_key(const Ports& ports, const Call& call) {
  const auto document = read_json(call);
  if (!document) return std::unexpected(document.error());
  model::Mistakes mistakes;
  model::ObjectReader fields(*document, "", mistakes);
  ApiKey key{.id = ports.ids.make<model::KeyId>()};
  key.name = fields.text("name", 1, model::kNameBytesMax).value_or("");
  if (key.name.empty() && !mistakes.any()) mistakes.add("name", "is required");
  key.scope = fields.choice<model::KeyScope>("scope").value_or(model::KeyScope::read);
  read_sources(call, fields, key);
  const auto* expires = fields.take("expires_at");
  if (expires != nullptr && !expires->is_null()) {
    const auto* text = expires->if_string();
    const auto time = text ? parse_rfc3339(*text) : fail(grapnel::errc::malformed);
    if (!time || *time <= ports.store.clock.now()) {
      mistakes.add("expires_at", "expected a time in the future such as 2030-01-02T03:04:05Z");
    } else {
      key.expires = *time;
    }
  }
  fields.finish();
  if (mistakes.any()) return refuse(mistakes.error().error());
  return key;
}

async::Task<HttpResponse> create_key(const Ports& ports, Call call) {
  auto key = read_key(ports, call);
  if (!key) co_return std::move(key.error());
  const crypto::Secret token = crypto::make_token(ports.random);
  key->hash = crypto::token_hash(token.reveal());
  const auto done = co_await ports.store.registry.commit({model::PutKey{*key}});
  if (!done) co_return to_answer(done.error());
  const auto stored = (*done)->keys.find(key->id);
  auto out = key_view(stored == (*done)->keys.end() ? *key : stored->second, **done);
  out["key"] = token.reveal();
  auto answer = json_answer(201, out);
  answer.headers.push_back({"Location", fmt::format("/api/keys/{}", key->id.str())});
  co_return answer;
}

async::Task<HttpResponse> delete_key(const Ports& ports, Call call) {
  const auto id = model::KeyId::parse(call.params[0]);
  const auto none =
      to_answer(Problem{404,
                        "not-found",
                        fmt::format("there is no key '{}'",
                                    valid_utf8(call.params[0].substr(0, model::kEchoBytesMax))),
                        {}});
  if (!id || !call.snapshot->keys.contains(*id)) co_return none;
  const auto done = co_await ports.store.registry.commit({model::DeleteKey{*id}});
  if (done) co_return empty_answer(204);
  const bool is_gone =
      done.error().code == model::errc::conflict || done.error().code == model::errc::not_found;
  co_return is_gone ? none : to_answer(done.error());
}

constexpr auto kAdmin = model::KeyScope::admin;

constexpr std::array kRoutes{
    Route{"GET", "/api/keys", "limit cursor", kAdmin, Reach::whole, BodyUse::none, list_keys},
    Route{"POST", "/api/keys", "", kAdmin, Reach::whole, BodyUse::json, create_key},
    Route{"DELETE", "/api/keys/{key}", "", kAdmin, Reach::whole, BodyUse::none, delete_key},
};

}  // namespace

std::span<const Route> key_routes() { return kRoutes; }

}  // namespace grapnel::api
