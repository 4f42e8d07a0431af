#include "signature/signer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string>
#include <utility>

#include "base/check.h"
#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "signature/body_hmac.h"
#include "signature/errors.h"
#include "signature/standard_webhooks.h"

namespace grapnel::signature {
namespace {

using Seed = std::array<std::uint8_t, 32>;

Seed random_seed(Random& random) {
  Seed seed;
  random.fill(std::as_writable_bytes(std::span{seed}));
  return seed;
}

/// The text of a key, from 32 bytes that are wiped, in its canonical form.
crypto::Secret text_of(std::string_view prefix, Seed seed) {
  std::string encoded = crypto::base64_encode(crypto::as_text(seed));
  crypto::wipe(seed.data(), seed.size());
  std::string text = std::string(prefix) + encoded;
  crypto::wipe(encoded);
  const auto key = SigningKey::parse(text);
  crypto::wipe(text);
  GRAPNEL_CHECK(key.has_value());
  return key->standard_text();
}

}  // namespace

Result<Signer> Signer::make(std::vector<OpenedSecret> secrets) {
  std::vector<Entry> entries;
  entries.reserve(secrets.size());
  for (OpenedSecret& secret : secrets) {
    auto key = SigningKey::parse(secret.text.reveal());
    if (!key) return fail(std::move(key.error()));
    const auto older = std::ranges::find_if(
        entries, [&](const Entry& entry) { return entry.secret.created < secret.created; });
    entries.insert(older, {std::move(secret), std::move(*key)});
  }
  return Signer(std::move(entries));
}

/// Of the shared-key ones only: a receiver must not need the private half of a pair.
const Signer::Entry* Signer::primary(Time now) const {
  const Entry* oldest = nullptr;
  for (const Entry& entry : entries_) {
    if (entry.key.version() != Version::v1 || entry.expired(now)) continue;
    if (!entry.secret.primary_from || *entry.secret.primary_from <= now) return &entry;
    oldest = &entry;
  }
  return oldest;
}

Result<model::HeaderList> Signer::sign(std::string_view event_id, SigningTime time,
                                       std::string_view body, std::uint8_t schemes) const {
  const std::int64_t seconds =
      std::chrono::floor<std::chrono::seconds>(time.wall.time_since_epoch()).count();
  model::HeaderList headers{{std::string(kIdHeader), std::string(event_id)},
                            {std::string(kTimestampHeader), std::to_string(seconds)}};
  std::vector<const SigningKey*> keys;
  const std::pair<model::Scheme, Version> versions[] = {{model::kSchemeV1, Version::v1},
                                                        {model::kSchemeV1a, Version::v1a}};
  for (const auto& [scheme, version] : versions) {
    if ((schemes & scheme) == 0) continue;
    const std::size_t before = keys.size();
    for (const Entry& entry : entries_) {
      if (entry.key.version() == version && !entry.expired(time.store)) keys.push_back(&entry.key);
    }
    if (keys.size() == before) {
      return fail(errc::no_key, version == Version::v1
                                    ? "scheme v1 has no unexpired signing secret"
                                    : "scheme v1a has no unexpired whsk_ signing secret");
    }
  }
  if (!keys.empty()) {
    headers.push_back(
        {std::string(kSignatureHeader), signature::sign(keys, event_id, seconds, body)});
  }
  if ((schemes & model::kSchemeSha256) != 0) {
    const Entry* entry = primary(time.store);
    if (entry == nullptr)
      return fail(errc::no_key, "scheme sha256 has no unexpired signing secret");
    headers.push_back({std::string(kBodyHmacHeader), sign_body(entry->secret.text.reveal(), body)});
  }
  return headers;
}

crypto::Secret make_secret(Random& random) { return text_of("whsec_", random_seed(random)); }

crypto::Secret make_asymmetric_secret(Random& random) {
  return text_of("whsk_", random_seed(random));
}

}  // namespace grapnel::signature
