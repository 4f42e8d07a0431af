#include "surface/api/source_secrets.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "model/limits.h"
#include "model/texts.h"
#include "pipeline/gate.h"
#include "signature/explain.h"
#include "signature/provider.h"

namespace grapnel::api {
namespace {

using model::InboundSecret;
using signature::Origin;
using signature::Scheme;
using Use = InboundSecret::Use;

std::string fingerprint_of(const Ports& ports, const Scheme& scheme, Use use,
                           std::string_view text) {
  const auto carried =
      use == Use::signature ? signature::carried_text(scheme, text) : crypto::Secret(text);
  std::string digest = ports.digest.text_of(carried.reveal());
  return digest.substr(digest.find(':') + 1);
}

Answer<InboundSecret> seal(const Ports& ports, const Scheme& scheme, Use use, std::string_view text,
                           const model::Source& source) {
  auto sealed = pipeline::seal_for(ports.box, source.id, text);
  if (!sealed) return refuse(sealed.error());
  return InboundSecret{.sealed = std::move(*sealed),
                       .created = ports.store.clock.now(),
                       .fingerprint = fingerprint_of(ports, scheme, use, text),
                       .use = use};
}

std::size_t count_of(const model::Source& source, Use use) {
  return static_cast<std::size_t>(
      std::ranges::count(source.inbound.secrets, use, &InboundSecret::use));
}

void erase(model::Source& source, Use use) {
  std::erase_if(source.inbound.secrets,
                [use](const InboundSecret& secret) { return secret.use == use; });
}

/// Secrets that were there before must fit the provider that is there now; what names them may
/// change with it.
Answer<void> check_kept(const Ports& ports, const Scheme& scheme, model::Source& source) {
  for (InboundSecret& secret : source.inbound.secrets) {
    const auto text = ports.box.open(secret.sealed, source.id.str());
    if (!text) return refuse(text.error());
    if (secret.use == Use::signature) {
      if (const auto good = signature::check_secret(scheme, text->reveal()); !good) {
        return refuse(422, "secret-needed",
                      fmt::format("secrets: what the source has does not fit provider {} ({}); "
                                  "give secrets, too",
                                  source.inbound.provider, good.error().message()));
      }
    }
    secret.fingerprint = fingerprint_of(ports, scheme, secret.use, text->reveal());
  }
  return {};
}

/// Those of the document replace all of that use; the same ones again change nothing.
Answer<void> take_given(const Ports& ports, const Scheme& scheme,
                        const std::vector<std::string>& given, model::Source& source) {
  std::vector<InboundSecret> taken;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (const auto good = signature::check_secret(scheme, given[i]); !good) {
      return refuse(400, "invalid", fmt::format("secrets[{}]: {}", i, good.error().message()));
    }
    const auto fingerprint = fingerprint_of(ports, scheme, Use::signature, given[i]);
    const auto known = std::ranges::find_if(source.inbound.secrets, [&](const auto& secret) {
      return secret.use == Use::signature && secret.fingerprint == fingerprint;
    });
    if (known != source.inbound.secrets.end()) {
      taken.push_back(*known);
      continue;
    }
    auto sealed = seal(ports, scheme, Use::signature, given[i], source);
    if (!sealed) return std::unexpected(std::move(sealed.error()));
    taken.push_back(std::move(*sealed));
  }
  erase(source, Use::signature);
  source.inbound.secrets.insert(source.inbound.secrets.begin(), taken.begin(), taken.end());
  return {};
}

Answer<void> take_handshake(const Ports& ports, const Scheme& scheme,
                            const std::optional<std::string>& given, model::Source& source,
                            MadeSecrets& made) {
  if (scheme.handshake != signature::Handshake::meta) {
    if (given) {
      return refuse(400, "invalid", "handshake_token: the source's handshake has no token");
    }
    erase(source, Use::handshake);
    return {};
  }
  if (!given && count_of(source, Use::handshake) > 0) return {};
  crypto::Secret token =
      given ? crypto::Secret(*given)
            : signature::make_inbound_secret(signature::SecretForm::hex, ports.random);
  auto sealed = seal(ports, scheme, Use::handshake, token.reveal(), source);
  if (!sealed) return std::unexpected(std::move(sealed.error()));
  const bool is_known = std::ranges::any_of(source.inbound.secrets, [&](const auto& secret) {
    return secret.use == Use::handshake && secret.fingerprint == sealed->fingerprint;
  });
  if (is_known) return {};
  erase(source, Use::handshake);
  source.inbound.secrets.push_back(std::move(*sealed));
  if (!given) made.handshake_token = std::move(token);
  return {};
}

Answer<void> without_secrets(const model::InboundPatch& patch, model::Source& source) {
  if (patch.secrets && !patch.secrets->empty()) {
    return refuse(400, "invalid",
                  source.inbound.provider.empty()
                      ? std::string("secrets: name the provider that they are of")
                      : fmt::format("secrets: provider {} has none", source.inbound.provider));
  }
  source.inbound.secrets.clear();
  return {};
}

}  // namespace

Answer<MadeSecrets> settle_inbound(const Ports& ports, const model::InboundPatch& patch,
                                   model::Source& source) {
  MadeSecrets made;
  if (const auto settled = signature::settle(source); !settled) {
    return refuse(400, "invalid", settled.error().context);
  }
  const auto scheme = signature::scheme_of(source.inbound);
  if (!scheme) return refuse(400, "invalid", scheme.error().context);
  const auto* provider = signature::find_provider(source.inbound.provider);
  if (provider == nullptr || provider->origin == Origin::none) {
    auto none = without_secrets(patch, source);
    if (!none) return std::unexpected(std::move(none.error()));
    return made;
  }
  if (patch.secrets) {
    auto taken = take_given(ports, *scheme, *patch.secrets, source);
    if (!taken) return std::unexpected(std::move(taken.error()));
  } else if (patch.provider || patch.settings) {
    auto kept = check_kept(ports, *scheme, source);
    if (!kept) return std::unexpected(std::move(kept.error()));
  }
  auto handshake = take_handshake(ports, *scheme, patch.handshake_token, source, made);
  if (!handshake) return std::unexpected(std::move(handshake.error()));
  if (count_of(source, Use::signature) > 0) return made;
  if (provider->origin == Origin::theirs) {
    return refuse(422, "secret-needed",
                  fmt::format("secrets: {} makes the secret: {}; give it as \"secrets\": [\"…\"]",
                              provider->name, provider->where));
  }
  made.secret = signature::make_inbound_secret(provider->form, ports.random);
  auto sealed = seal(ports, *scheme, Use::signature, made.secret.reveal(), source);
  if (!sealed) return std::unexpected(std::move(sealed.error()));
  source.inbound.secrets.insert(source.inbound.secrets.begin(), std::move(*sealed));
  return made;
}

Answer<crypto::Secret> add_inbound_secret(const Ports& ports, std::string_view given,
                                          model::Source& source) {
  const auto* provider = signature::find_provider(source.inbound.provider);
  const auto scheme = signature::scheme_of(source.inbound);
  if (provider == nullptr || provider->origin == Origin::none || !scheme) {
    return refuse(409, "no-secrets", "the source has no provider whose requests have secrets");
  }
  if (given.empty() && provider->origin == Origin::theirs) {
    return refuse(422, "secret-needed",
                  fmt::format("secret: {} makes the secret: {}", provider->name, provider->where));
  }
  crypto::Secret made;
  if (given.empty()) made = signature::make_inbound_secret(provider->form, ports.random);
  const std::string_view text = given.empty() ? made.reveal() : given;
  if (const auto good = signature::check_secret(*scheme, text); !good) {
    return refuse(400, "invalid", "secret: " + good.error().message());
  }
  auto sealed = seal(ports, *scheme, Use::signature, text, source);
  if (!sealed) return std::unexpected(std::move(sealed.error()));
  const bool is_known = std::ranges::any_of(source.inbound.secrets, [&](const auto& secret) {
    return secret.use == Use::signature && secret.fingerprint == sealed->fingerprint;
  });
  if (is_known) return made;
  if (count_of(source, Use::signature) >= model::kSigningSecretsMax) {
    return refuse(409, "too-many",
                  fmt::format("the source has {} secrets already; remove one first",
                              model::kSigningSecretsMax));
  }
  source.inbound.secrets.insert(source.inbound.secrets.begin(), std::move(*sealed));
  return made;
}

Answer<void> remove_inbound_secret(std::string_view fingerprint, model::Source& source) {
  auto& secrets = source.inbound.secrets;
  const auto found = std::ranges::find(secrets, fingerprint, &InboundSecret::fingerprint);
  if (found == secrets.end()) {
    return refuse(404, "not-found", "the source has no secret of that fingerprint");
  }
  if (count_of(source, found->use) == 1) {
    return refuse(409, "last-secret",
                  "it is the last one, without which nothing verifies; add another first");
  }
  secrets.erase(found);
  return {};
}

void show_once(const MadeSecrets& made, boost::json::object& out) {
  if (!made.secret.empty()) out["secret"] = made.secret.reveal();
  if (!made.handshake_token.empty()) out["handshake_token"] = made.handshake_token.reveal();
}

void show_verification(const model::Source& source, boost::json::object& out) {
  const auto* provider = signature::find_provider(source.inbound.provider);
  const auto scheme = signature::scheme_of(source.inbound);
  if (provider == nullptr || !scheme) {
    out["verification"] = nullptr;
    return;
  }
  auto shown = signature::show_scheme(*scheme);
  const bool is_bound = provider->replay == signature::Replay::bound || !scheme->timestamp.empty();
  shown["replay"] = is_bound ? "bound" : "replayable";
  const model::Source with = signature::with_provider(source);
  boost::json::array places;
  for (const auto& place :
       with.idempotency ? *with.idempotency : model::default_idempotency_places()) {
    places.emplace_back(model::to_text(place));
  }
  shown["idempotency"] = std::move(places);
  shown["event_type"] =
      with.event_type ? boost::json::value(model::to_text(*with.event_type)) : nullptr;
  out["verification"] = std::move(shown);
}

}  // namespace grapnel::api
