#include "surface/api/inbound_api.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "base/utf8.h"
#include "crypto/base64.h"
#include "model/errors.h"
#include "model/json_reader.h"
#include "model/source_json.h"
#include "model/stored_json.h"
#include "pipeline/gate.h"
#include "pipeline/quarantine.h"
#include "signature/explain.h"
#include "surface/api/answer.h"
#include "surface/api/captured.h"
#include "surface/api/limits.h"
#include "surface/api/lookup.h"
#include "surface/api/source_secrets.h"
#include "surface/api/views.h"

namespace grapnel::api {
namespace {

using boost::json::object;
using model::HttpResponse;
using model::Source;

object source_view(const Source& source) {
  object out = model::to_json(source);
  show_verification(source, out);
  return out;
}

/// What one kind of change does to a source's secrets; an answer refuses it.
using SecretChange = std::function<std::optional<HttpResponse>(Source& source)>;

/// Reads, changes and commits, anew when the source was changed meanwhile. Secrets rotate whoever
/// owns the definition. `out` is the committed source.
async::Task<std::optional<HttpResponse>> change_secrets(const Ports& ports, const Call& call,
                                                        const SecretChange& change, Source& out) {
  for (int tries = 0; tries < kChangeTriesMax; ++tries) {
    const auto entry = find_source(call, *ports.store.registry.snapshot(), call.params[0]);
    if (!entry) co_return entry.error();
    const Source& before = (*entry)->source;
    if (auto refusal = check_if_match(call, before.revision)) co_return refusal;
    out = before;
    if (auto refusal = change(out)) co_return refusal;
    if (model::to_stored(out) == model::to_stored(before)) co_return std::nullopt;
    const auto done = co_await ports.store.registry.commit(
        {model::PutSource{.source = out, .expected = before.revision}});
    if (done) {
      if (const auto committed = (*done)->find_source(out.id)) out = committed->source;
      co_return std::nullopt;
    }
    if (done.error().code != model::errc::conflict) co_return to_answer(done.error());
  }
  co_return changed_meanwhile(call);
}

async::Task<HttpResponse> add_secret(const Ports& ports, Call call) {
  const auto entry = find_source(call, *call.snapshot, call.params[0]);
  if (!entry) co_return entry.error();
  std::string given;
  if (!call.request.body.empty()) {
    const auto document = read_json(call);
    if (!document) co_return document.error();
    model::Mistakes mistakes;
    model::ObjectReader fields(*document, "", mistakes);
    given = fields.text("secret", 1, model::kInboundSecretBytesMax, model::Echo::kind).value_or("");
    fields.finish();
    if (mistakes.any()) co_return to_answer(mistakes.error().error());
  }
  MadeSecrets made;
  const SecretChange change = [&](Source& source) -> std::optional<HttpResponse> {
    auto added = add_inbound_secret(ports, given, source);
    if (!added) return std::move(added.error());
    made.secret = std::move(*added);
    return std::nullopt;
  };
  Source source;
  auto refusal = co_await change_secrets(ports, call, change, source);
  if (refusal) co_return std::move(*refusal);
  object out = source_view(source);
  show_once(made, out);
  co_return tagged_answer(call, 200, out, source.revision);
}

async::Task<HttpResponse> remove_secret(const Ports& ports, Call call) {
  const std::string fingerprint = call.params[1];
  const SecretChange change = [&](Source& source) -> std::optional<HttpResponse> {
    auto removed = remove_inbound_secret(fingerprint, source);
    if (!removed) return std::move(removed.error());
    return std::nullopt;
  };
  Source source;
  auto refusal = co_await change_secrets(ports, call, change, source);
  if (refusal) co_return std::move(*refusal);
  co_return empty_answer(204);
}

object quarantined_view(const pipeline::Quarantined& one) {
  return {{"id", one.id},
          {"received_at", to_rfc3339(one.received)},
          {"reason", signature::to_text(one.why.reason)},
          {"detail", valid_utf8(one.why.detail)},
          {"method", valid_utf8(one.request.method)},
          {"url", valid_utf8(one.request.target)},
          {"remote", one.request.remote},
          {"https", one.request.secure},
          {"headers", header_pairs(one.request.headers)},
          {"body_size", one.body_size}};
}

async::Task<HttpResponse> list_quarantine(const Ports& ports, Call call) {
  const auto entry = find_source(call, *call.snapshot, call.params[0]);
  if (!entry) co_return entry.error();
  boost::json::array out;
  for (const auto& one : ports.quarantine.of((*entry)->source.id)) {
    out.push_back(quarantined_view(*one));
  }
  co_return json_answer(200, out);
}

async::Task<HttpResponse> get_quarantined(const Ports& ports, Call call) {
  const auto entry = find_source(call, *call.snapshot, call.params[0]);
  if (!entry) co_return entry.error();
  const auto one = ports.quarantine.find((*entry)->source.id, call.params[1]);
  if (!one) {
    co_return to_answer(
        Problem{404, "not-found", "the source keeps no refused request of that id", {}});
  }
  object out = quarantined_view(*one);
  if (!one->has_body) {
    out["body"] = nullptr;
  } else if (valid_utf8(one->request.body) == one->request.body) {
    out["body"] = one->request.body;
  } else {
    out["body_base64"] = crypto::base64_encode(one->request.body);
  }
  co_return json_answer(200, out);
}

async::Task<HttpResponse> clear_quarantine(const Ports& ports, Call call) {
  const auto entry = find_source(call, *call.snapshot, call.params[0]);
  if (!entry) co_return entry.error();
  ports.quarantine.clear((*entry)->source.id);
  co_return empty_answer(204);
}

/// Puts what is kept here in the place of its id.
async::Task<Answer<void>> load_captured(const Ports& ports, const Call& call, const Source& source,
                                        Captured& captured) {
  if (!captured.quarantined.empty()) {
    const auto one = ports.quarantine.find(source.id, captured.quarantined);
    if (!one) co_return refuse(404, "not-found", "the source keeps no refused request of that id");
    if (!one->has_body) {
      co_return refuse(409, "body-not-kept",
                       "its body was too large to keep, and nothing can be verified without it");
    }
    captured.request = one->request;
    if (!captured.at) captured.at = one->received;
  }
  if (!captured.event.empty()) {
    auto event = co_await find_event(ports, call, captured.event, model::Catalog::WithBody::yes);
    if (!event) co_return std::unexpected(std::move(event.error()));
    if (event->source != source.id) {
      co_return refuse(404, "not-found", "the source has no event of that id");
    }
    captured.request = {.method = event->method,
                        .target = event->target,
                        .headers = event->headers,
                        .body = event->body,
                        .remote = event->remote,
                        .secure = true};
    if (!captured.at) captured.at = event->received;
  }
  co_return Answer<void>{};
}

/// Of a token only its digest was kept: which of the source's secrets has the same?
void compare_digests(const signature::Scheme& scheme, const model::HttpRequest& request,
                     const Source& source, object& out) {
  using signature::Method;
  if (scheme.method != Method::token && scheme.method != Method::basic) return;
  constexpr std::string_view kDigest = "digest:";
  const auto value = model::find_header(request.headers, scheme.header);
  if (!value || !value->starts_with(kDigest)) return;
  const auto digest = value->substr(kDigest.size());
  const bool is_known = std::ranges::any_of(source.inbound.secrets, [&](const auto& secret) {
    return secret.use == model::InboundSecret::Use::signature && secret.fingerprint == digest;
  });
  out["sent_fingerprint"] = valid_utf8(digest);
  out["sent_is_a_secret_of_the_source"] = is_known;
  out["verified"] = is_known;
  if (is_known) out["reason"] = "";
  out["detail"] = is_known ? "only a digest of what was sent is kept: it is that of one of the "
                             "source's secrets"
                           : "only a digest of what was sent is kept: it is that of none of the "
                             "source's secrets";
}

async::Task<HttpResponse> verify_captured(const Ports& ports, Call call) {
  const auto entry = find_source(call, *call.snapshot, call.params[0]);
  if (!entry) co_return entry.error();
  const Source& source = (*entry)->source;
  const auto document = read_json(call);
  if (!document) co_return document.error();
  auto captured = read_captured(*document);
  if (!captured) co_return captured.error();
  auto loaded = co_await load_captured(ports, call, source, *captured);
  if (!loaded) co_return std::move(loaded.error());
  const auto entrance = pipeline::open_entrance(ports.box, source);
  if (!entrance->verifier) {
    co_return json_answer(200, object{{"verified", false},
                                      {"reason", to_text(signature::Rejection::unusable)},
                                      {"detail", valid_utf8(entrance->broken)}});
  }
  std::vector<std::string> names;
  for (const auto& secret : source.inbound.secrets) {
    if (secret.use == model::InboundSecret::Use::signature) names.push_back(secret.fingerprint);
  }
  object out = pipeline::explain(*entrance, captured->request,
                                 captured->at.value_or(ports.wall.wall()), names);
  const auto& scheme = entrance->verifier->scheme();
  compare_digests(scheme, captured->request, source, out);
  if (scheme.method == signature::Method::certificate) {
    out["detail"] = "client certificates are checked while a connection lasts and are not kept";
  }
  out["secret_fingerprints"] = boost::json::array(names.begin(), names.end());
  co_return json_answer(200, out);
}

constexpr auto kRead = model::KeyScope::read;
constexpr auto kWrite = model::KeyScope::write;
constexpr std::string_view kQuarantine = "/api/sources/{source}/quarantine";

constexpr std::array kRoutes{
    Route{"POST", "/api/sources/{source}/secrets", "", kWrite, Reach::by_source, BodyUse::json,
          add_secret},
    Route{"DELETE", "/api/sources/{source}/secrets/{secret}", "", kWrite, Reach::by_source,
          BodyUse::none, remove_secret},
    Route{"GET", kQuarantine, "", kRead, Reach::by_source, BodyUse::none, list_quarantine},
    Route{"GET", "/api/sources/{source}/quarantine/{refused}", "", kRead, Reach::by_source,
          BodyUse::none, get_quarantined},
    Route{"DELETE", kQuarantine, "", kWrite, Reach::by_source, BodyUse::none, clear_quarantine},
    // Whoever may ask could try signatures, so it is not for keys that only read.
    Route{"POST", "/api/sources/{source}/verify", "", kWrite, Reach::by_source, BodyUse::json,
          verify_captured},
};

}  // namespace

std::span<const Route> inbound_routes() { return kRoutes; }

}  // namespace grapnel::api
