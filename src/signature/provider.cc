#include "signature/provider.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/utf8.h"
#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "signature/errors.h"
#include "signature/key.h"
#include "signature/signer.h"

namespace grapnel::signature {
namespace {

using crypto::HashKind;
using model::Place;

Place header(std::string name) { return {Place::Kind::header, std::move(name)}; }
Place pointer(std::string name) { return {Place::Kind::pointer, std::move(name)}; }

/// An HMAC-SHA256 of the body alone, in hexadecimal.
Scheme body_hmac(std::string name, std::string prefix) {
  return {.method = Method::hmac, .header = std::move(name), .prefix = std::move(prefix)};
}
Scheme token_in(std::string name, std::string prefix = "") {
  return {.method = Method::token, .header = std::move(name), .prefix = std::move(prefix)};
}
/// Standard Webhooks 1.0 with headers that begin with `brand`.
Scheme standard(const std::string& brand) {
  return {.method = Method::standard,
          .header = brand + "-signature",
          .timestamp = "header:" + brand + "-timestamp",
          .id = "header:" + brand + "-id"};
}
/// "v0:{timestamp}:{body}", as Slack began it.
Scheme slack_like(std::string name, std::string timestamp, Handshake handshake) {
  return {.method = Method::hmac,
          .header = std::move(name),
          .prefix = "v0=",
          .signed_text = "v0:{timestamp}:{body}",
          .timestamp = "header:" + timestamp,
          .handshake = handshake};
}
Scheme with_handshake(Scheme scheme, Handshake handshake) {
  scheme.handshake = handshake;
  return scheme;
}

// The rows, in the order of docs/PROVIDERS.md.

std::vector<Provider> code_hosts() {
  return {
      {.name = "github",
       .scheme = body_hmac("X-Hub-Signature-256", "sha256="),
       .idempotency = {header("X-GitHub-Delivery")}},
      {.name = "gitlab",
       .scheme = token_in("X-Gitlab-Token"),
       .idempotency = {header("Idempotency-Key"), header("X-Gitlab-Event-UUID")},
       .event_type = header("X-Gitlab-Event")},
      {.name = "gitlab-signing",
       .scheme = standard("webhook"),
       .replay = Replay::bound,
       .origin = Origin::theirs,
       .where = "GitLab shows the signing token once, when it is added to the webhook",
       .idempotency = {header("webhook-id")},
       .event_type = header("X-Gitlab-Event")},
      {.name = "bitbucket",
       .scheme = body_hmac("X-Hub-Signature", "sha256="),
       .idempotency = {header("X-Request-UUID")},
       .event_type = header("X-Event-Key")},
      {.name = "gitea",
       .scheme = body_hmac("X-Gitea-Signature", ""),
       .idempotency = {header("X-Gitea-Delivery")},
       .event_type = header("X-Gitea-Event")},
  };
}

std::vector<Provider> shops_and_phones() {
  return {
      {.name = "stripe",
       .scheme = {.method = Method::hmac,
                  .header = "Stripe-Signature",
                  .prefix = "v1=",
                  .listing = Listing::pairs,
                  .signed_text = "{timestamp}.{body}",
                  .timestamp = "item:t"},
       .replay = Replay::bound,
       .origin = Origin::theirs,
       .where = "Stripe's page of the endpoint shows its signing secret (whsec_…)",
       .idempotency = {pointer("/id"), header("Stripe-Signature")},
       .event_type = pointer("/type")},
      {.name = "shopify",
       .scheme = {.method = Method::hmac,
                  .header = "X-Shopify-Hmac-Sha256",
                  .encoding = Encoding::base64},
       .origin = Origin::theirs,
       .where = "Shopify's notification settings (or the app's client secret) have it",
       .idempotency = {header("X-Shopify-Webhook-Id")},
       .event_type = header("X-Shopify-Topic")},
      {.name = "twilio",
       .scheme = {.method = Method::hmac,
                  .header = "X-Twilio-Signature",
                  .hash = HashKind::sha1,
                  .encoding = Encoding::base64,
                  .signed_text = "{url}{form}"},
       .origin = Origin::theirs,
       .where = "the Twilio console shows the account's Auth Token",
       .idempotency = {header("I-Twilio-Idempotency-Token")}},
      {.name = "square",
       .scheme = {.method = Method::hmac,
                  .header = "x-square-hmacsha256-signature",
                  .encoding = Encoding::base64,
                  .signed_text = "{url}{body}"},
       .origin = Origin::theirs,
       .where = "Square's page of the webhook subscription shows its signature key",
       .idempotency = {pointer("/event_id")},
       .event_type = pointer("/type")},
  };
}

std::vector<Provider> work_places() {
  return {
      {.name = "slack",
       .scheme = slack_like("X-Slack-Signature", "X-Slack-Request-Timestamp", Handshake::slack),
       .replay = Replay::bound,
       .origin = Origin::theirs,
       .where = "the Slack app's page Basic Information shows its Signing Secret",
       .idempotency = {pointer("/event_id"), header("X-Slack-Signature")},
       .event_type = pointer("/event/type")},
      {.name = "linear",
       .scheme = {.method = Method::hmac,
                  .header = "Linear-Signature",
                  .timestamp = "/webhookTimestamp",
                  .unit = TimeUnit::millis},
       .replay = Replay::bound,
       .origin = Origin::theirs,
       .where = "Linear's page of the webhook shows its signing secret",
       .idempotency = {header("Linear-Delivery"), header("Linear-Signature")},
       .event_type = header("Linear-Event")},
      {.name = "zoom",
       .scheme = slack_like("x-zm-signature", "x-zm-request-timestamp", Handshake::zoom),
       .replay = Replay::bound,
       .origin = Origin::theirs,
       .where = "the Zoom app's page Feature shows its Secret Token",
       .idempotency = {header("x-zm-signature")},
       .event_type = pointer("/event")},
      {.name = "meta",
       .scheme = with_handshake(body_hmac("X-Hub-Signature-256", "sha256="), Handshake::meta),
       .origin = Origin::theirs,
       .where = "the Meta app's basic settings show its App Secret",
       .idempotency = {},
       .event_type = pointer("/object")},
      {.name = "discord",
       .scheme = {.method = Method::ed25519,
                  .header = "X-Signature-Ed25519",
                  .signed_text = "{timestamp}{body}",
                  .timestamp = "header:X-Signature-Timestamp",
                  .handshake = Handshake::discord},
       .replay = Replay::bound,
       .origin = Origin::theirs,
       .where = "the Discord application's general information shows its Public Key",
       .idempotency = {pointer("/id"), header("X-Signature-Ed25519")},
       .event_type = pointer("/type")},
  };
}

std::vector<Provider> standards() {
  return {
      {.name = "standard-webhooks",
       .scheme = standard("webhook"),
       .replay = Replay::bound,
       .form = SecretForm::whsec,
       .idempotency = {header("webhook-id")}},
      {.name = "svix",
       .scheme = standard("svix"),
       .replay = Replay::bound,
       .origin = Origin::theirs,
       .where = "the endpoint's page shows its signing secret (whsec_… or whpk_…)",
       .idempotency = {header("svix-id")}},
      {.name = "cloudevents",
       .scheme = {.method = Method::token,
                  .header = "Authorization",
                  .prefix = "Bearer ",
                  .query = "access_token",
                  .handshake = Handshake::cloudevents},
       .form = SecretForm::token,
       .idempotency = {header("ce-id"), pointer("/id")}},
      {.name = "hmac", .scheme = {.method = Method::hmac}, .idempotency = {}},
      {.name = "basic",
       .scheme = {.method = Method::basic, .header = "Authorization"},
       .form = SecretForm::basic,
       .idempotency = {}},
      {.name = "api-key",
       .scheme = token_in("X-Api-Key"),
       .form = SecretForm::token,
       .idempotency = {}},
      {.name = "mtls",
       .scheme = {.method = Method::certificate},
       .origin = Origin::none,
       .idempotency = {}},
  };
}

}  // namespace

std::span<const Provider> providers() {
  static const std::vector<Provider> all = [] {
    std::vector<Provider> out = code_hosts();
    for (auto group : {shops_and_phones(), work_places(), standards()}) {
      std::ranges::move(group, std::back_inserter(out));
    }
    return out;
  }();
  return all;
}

const Provider* find_provider(std::string_view name) {
  const auto all = providers();
  const auto found = std::ranges::find(all, name, &Provider::name);
  return found == all.end() ? nullptr : &*found;
}

Result<Scheme> scheme_of(const model::Inbound& inbound) {
  if (inbound.provider.empty()) {
    if (inbound.settings == model::VerifySettings{}) return Scheme{};
    return fail(errc::bad_scheme,
                "verify: says how a provider's requests are verified; name the "
                "provider (hmac for any other)");
  }
  const Provider* provider = find_provider(inbound.provider);
  if (provider == nullptr) {
    std::string names;
    for (const auto& known : providers()) {
      names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name);
    }
    return fail(errc::bad_scheme, fmt::format("provider: expected one of {}, given \"{}\"", names,
                                              valid_utf8(inbound.provider)));
  }
  return with_settings(provider->scheme, inbound.settings);
}

Result<> settle(model::Source& source) {
  model::Inbound& inbound = source.inbound;
  inbound.secret_headers.clear();
  inbound.secret_query.clear();
  const auto scheme = scheme_of(inbound);
  if (!scheme) return fail(scheme.error());
  if (scheme->method == Method::token || scheme->method == Method::basic) {
    inbound.secret_headers.push_back(scheme->header);
  }
  if (!scheme->query.empty()) inbound.secret_query.push_back(scheme->query);
  if (scheme->handshake == Handshake::meta) inbound.secret_query.emplace_back("hub.verify_token");
  return {};
}

model::Source with_provider(model::Source source) {
  const Provider* provider = find_provider(source.inbound.provider);
  if (provider == nullptr) return source;
  if (!source.idempotency && !provider->idempotency.empty()) {
    source.idempotency = provider->idempotency;
  }
  if (!source.event_type) source.event_type = provider->event_type;
  return source;
}

Result<> check_secret(const Scheme& scheme, std::string_view secret) {
  switch (scheme.method) {
    case Method::standard:
      if (auto key = VerifyingKey::parse(secret); !key) return fail(key.error());
      return {};
    case Method::ed25519: {
      const auto bytes = crypto::hex_decode(secret);
      if (!bytes || bytes->size() != sizeof(crypto::Ed25519PublicKey)) {
        return fail(errc::bad_key, "expected an Ed25519 public key as 64 hexadecimal digits");
      }
      return {};
    }
    case Method::basic:
      if (secret.find(':') == std::string_view::npos) {
        return fail(errc::bad_key, "expected user:password");
      }
      return {};
    case Method::token:
      if (secret.empty() || !model::is_header_value(secret) || secret.front() == ' ' ||
          secret.back() == ' ') {
        return fail(errc::bad_key, "expected a text that fits into a header");
      }
      return {};
    case Method::hmac:
      if (secret.empty()) return fail(errc::bad_key, "a secret must not be empty");
      return {};
    case Method::none:
    case Method::certificate: break;
  }
  return fail(errc::bad_key, "the source's provider has no secrets");
}

crypto::Secret make_inbound_secret(SecretForm form, Random& random) {
  if (form == SecretForm::whsec) return make_secret(random);
  std::array<std::uint8_t, 32> bytes;
  random.fill(std::as_writable_bytes(std::span{bytes}));
  std::string text = form == SecretForm::hex ? crypto::hex_encode(crypto::as_text(bytes))
                                             : crypto::base64url_encode(crypto::as_text(bytes));
  crypto::wipe(bytes.data(), bytes.size());
  if (form == SecretForm::basic) {
    std::string pair = "grapnel:" + text;
    crypto::wipe(text);
    return crypto::Secret::take(std::move(pair));
  }
  return crypto::Secret::take(std::move(text));
}

crypto::Secret carried_text(const Scheme& scheme, std::string_view secret) {
  if (scheme.method == Method::token) {
    return crypto::Secret::take(fmt::format("{}{}", scheme.prefix, secret));
  }
  if (scheme.method == Method::basic) {
    return crypto::Secret::take("Basic " + crypto::base64_encode(secret));
  }
  return crypto::Secret(secret);
}

}  // namespace grapnel::signature
