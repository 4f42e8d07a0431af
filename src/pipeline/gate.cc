#include "pipeline/gate.h"

#include <algorithm>
#include <utility>

#include "pipeline/json_body.h"
#include "pipeline/limits.h"
#include "signature/explain.h"
#include "signature/handshake.h"
#include "signature/provider.h"

namespace grapnel::pipeline {
namespace {

using model::InboundSecret;
using signature::Rejected;
using signature::Rejection;

/// The scalars at these pointers; of a large body piece by piece.
BodyValues look_into(std::string_view body, const std::vector<std::string>& pointers) {
  if (body.size() <= kInlineWorkBytesMax) return read_values(body, pointers);
  JsonScan scan(pointers);
  for (std::size_t at = 0; at < body.size(); at += kWorkPieceBytes) {
    scan.add(body.substr(at, kWorkPieceBytes));
  }
  return scan.finish().value_or(BodyValues{});
}

std::optional<std::string> value_at(const BodyValues& values, std::string_view pointer) {
  const auto found = std::ranges::find(values, pointer, &BodyValues::value_type::first);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

/// `request` outlives what is given back.
signature::Surroundings surroundings_of(const Entrance& entrance, const model::HttpRequest& request,
                                        Time now, std::function<void()> rest) {
  return {.public_url = entrance.source.public_url,
          .now = now,
          .look_up =
              [&request](std::string_view pointer) {
                const std::vector<std::string> pointers{std::string(pointer)};
                return value_at(look_into(request.body, pointers), pointer);
              },
          .before_piece = std::move(rest)};
}

}  // namespace

EntrancePtr open_entrance(const crypto::SecretBox& box, const model::Source& source) {
  auto out = std::make_shared<Entrance>();
  out->source = signature::with_provider(source);
  std::vector<crypto::Secret> secrets;
  for (const auto& secret : source.inbound.secrets) {
    auto text = box.open(secret.sealed, source.id.str());
    if (!text) {
      out->broken = text.error().message();
      return out;
    }
    auto& list = secret.use == InboundSecret::Use::signature ? secrets : out->handshake_tokens;
    list.push_back(std::move(*text));
  }
  auto scheme = signature::scheme_of(source.inbound);
  if (!scheme) {
    out->broken = scheme.error().message();
    return out;
  }
  auto verifier = signature::Verifier::make(std::move(*scheme), std::move(secrets));
  if (verifier) {
    out->verifier.emplace(std::move(*verifier));
  } else {
    out->broken = verifier.error().message();
  }
  return out;
}

std::expected<signature::Verified, Rejected> verify(const Entrance& entrance,
                                                    const model::HttpRequest& request, Time now,
                                                    std::function<void()> rest) {
  if (entrance.source.inbound.require_https && !request.secure) {
    return std::unexpected(
        Rejected{Rejection::insecure, "the source takes requests over HTTPS only"});
  }
  if (!entrance.verifier) return std::unexpected(Rejected{Rejection::unusable, entrance.broken});
  return entrance.verifier->verify(request,
                                   surroundings_of(entrance, request, now, std::move(rest)));
}

boost::json::object explain(const Entrance& entrance, const model::HttpRequest& request, Time now,
                            const std::vector<std::string>& secret_names) {
  auto out = signature::explain(*entrance.verifier, request,
                                surroundings_of(entrance, request, now, {}), secret_names);
  if (entrance.source.inbound.require_https && !request.secure) {
    out["verified"] = false;
    out["reason"] = signature::to_text(Rejection::insecure);
    out["detail"] = "the source takes requests over HTTPS only";
  }
  return out;
}

std::optional<model::HttpResponse> handshake_in(const Entrance& entrance,
                                                const signature::Verified& verified,
                                                const model::HttpRequest& request) {
  if (!entrance.verifier) return std::nullopt;
  const auto handshake = entrance.verifier->scheme().handshake;
  const auto pointers = signature::handshake_pointers(handshake);
  // Without a secret nothing was verified; handshakes are small.
  if (pointers.empty() || verified.secret >= entrance.verifier->secrets().size() ||
      request.body.size() > kInlineWorkBytesMax) {
    return std::nullopt;
  }
  const BodyValues values = read_values(request.body, pointers);
  return signature::answer_verified(
      handshake, entrance.verifier->secrets()[verified.secret],
      [&values](std::string_view pointer) { return value_at(values, pointer); });
}

EntrancePtr Gate::of(const model::Source& source) {
  if (const auto at = entries_.find(source.id);
      at != entries_.end() && at->second.revision == source.revision) {
    return at->second.entrance;
  }
  if (entries_.size() >= kEntrancesMax) entries_.clear();
  auto entrance = open_entrance(box_, source);
  entries_[source.id] = {.revision = source.revision, .entrance = entrance};
  return entrance;
}

Result<std::string> seal_for(const crypto::SecretBox& box, model::SourceId source,
                             std::string_view secret) {
  return box.seal(secret, source.str());
}

}  // namespace grapnel::pipeline
