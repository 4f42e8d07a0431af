#include "surface/api/action_secrets.h"

#include <fmt/format.h>

#include "crypto/compare.h"
#include "model/limits.h"
#include "pipeline/keyring.h"
#include "signature/key.h"
#include "signature/signer.h"

namespace grapnel::api {
namespace {

using model::SigningSecret;
using signature::SigningKey;
using signature::Version;

bool is_only_v1a(std::uint8_t schemes) { return schemes == model::kSchemeV1a; }

Answer<SigningSecret> seal(const Ports& ports, const crypto::Secret& secret,
                           const model::Action& action) {
  auto sealed = pipeline::seal_for(ports.box, action.id, secret.reveal());
  if (!sealed) return refuse(sealed.error());
  return SigningSecret{.sealed = std::move(*sealed), .created = ports.store.clock.now()};
}

}  // namespace

Answer<crypto::Secret> take_or_make_secret(const Ports& ports, std::string_view given,
                                           std::uint8_t schemes) {
  if (given.empty()) {
    return is_only_v1a(schemes) ? signature::make_asymmetric_secret(ports.random)
                                : signature::make_secret(ports.random);
  }
  if (const auto key = SigningKey::parse(given); !key) {
    return refuse(400, "invalid", "signing_secret: " + key.error().message());
  }
  return crypto::Secret(given);
}

std::optional<model::HttpResponse> refuse_unfit(const crypto::Secret& secret,
                                                std::uint8_t schemes) {
  const auto invalid = [](std::string detail) {
    return to_answer(Problem{400, "invalid", "signature_schemes: " + std::move(detail), {}});
  };
  constexpr std::uint8_t kShared = model::kSchemeV1 | model::kSchemeSha256;
  if ((schemes & model::kSchemeV1a) && (schemes & kShared)) {
    return invalid(
        "v1a signs with a key pair, v1 and sha256 with a shared secret; choose one kind");
  }
  const auto key = SigningKey::parse(secret.reveal());
  if (!key) return to_answer(key.error());
  if ((schemes & model::kSchemeV1a) && key->version() != Version::v1a) {
    return invalid(
        "v1a needs a key pair: leave signing_secret out to get one, or give a whsk_ key");
  }
  if ((schemes & kShared) && key->version() == Version::v1a) {
    return invalid("a whsk_ key signs v1a only; ask for signature_schemes [\"v1a\"]");
  }
  return std::nullopt;
}

Answer<void> replace_secrets(const Ports& ports, const crypto::Secret& secret,
                             model::Action& action) {
  auto sealed = seal(ports, secret, action);
  if (!sealed) return std::unexpected(std::move(sealed.error()));
  action.secrets.clear();
  action.secrets.push_back(std::move(*sealed));
  return {};
}

Answer<void> rotate_secrets(const Ports& ports, const crypto::Secret& secret,
                            const Rotation& rotation, model::Action& action) {
  auto sealed = seal(ports, secret, action);
  if (!sealed) return std::unexpected(std::move(sealed.error()));
  const Time now = ports.store.clock.now();
  for (auto& old : action.secrets) {
    if (!old.expires || *old.expires > rotation.expires) old.expires = rotation.expires;
  }
  std::erase_if(action.secrets, [now](const SigningSecret& old) { return *old.expires <= now; });
  if (action.secrets.size() >= model::kSigningSecretsMax) {
    return refuse(409, "too-many",
                  fmt::format("{} signing secrets are still valid; wait until one of them expires",
                              action.secrets.size()));
  }
  if (!action.secrets.empty()) sealed->primary_from = rotation.primary_from;
  action.secrets.insert(action.secrets.begin(), std::move(*sealed));
  return {};
}

Answer<crypto::Secret> newest_secret(const Ports& ports, const model::Action& action) {
  if (action.secrets.empty()) return crypto::Secret();
  auto opened = ports.box.open(action.secrets.front().sealed, action.id.str());
  if (!opened) return refuse(opened.error());
  return std::move(*opened);
}

bool is_newest_secret(const Ports& ports, const crypto::Secret& secret,
                      const model::Action& action) {
  const auto newest = newest_secret(ports, action);
  return newest && crypto::equal_constant_time(newest->reveal(), secret.reveal());
}

void show_once(const crypto::Secret& secret, boost::json::object& out) {
  const std::string_view text = secret.reveal();
  out["signing_secret"] = text;
  const auto key = SigningKey::parse(text);
  if (!key) return;
  if (key->version() == Version::v1a) {
    out["signing_public_key"] = key->public_key();
  } else if (!text.starts_with("whsec_")) {
    out["signing_secret_whsec"] = key->standard_text().reveal();
  }
}

void show_public_key(const Ports& ports, const model::Action& action, boost::json::object& out) {
  if (!(action.schemes & model::kSchemeV1a)) return;
  const auto secret = newest_secret(ports, action);
  if (!secret) return;
  const auto key = SigningKey::parse(secret->reveal());
  if (key && key->version() == Version::v1a) out["signing_public_key"] = key->public_key();
}

}  // namespace grapnel::api
