#include "signature/key.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "crypto/compare.h"
#include "crypto/digest.h"
#include "signature/errors.h"

namespace grapnel::signature {
namespace {

using crypto::as_bytes;
using crypto::as_text;

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::string_view kPrivatePrefix = "whsk_";
constexpr std::string_view kPublicPrefix = "whpk_";
constexpr std::size_t kSeedBytes = sizeof(crypto::Ed25519Seed);
constexpr std::size_t kPublicBytes = sizeof(crypto::Ed25519PublicKey);

std::string v1_text(std::string_view key, std::string_view id, std::string_view timestamp,
                    std::string_view body) {
  const crypto::Digest mac = crypto::hmac_sha256(key, id, ".", timestamp, ".", body);
  return crypto::base64_encode(as_text(mac));
}

/// Ed25519 signs in one piece, so here the parts are joined.
std::string v1a_content(std::string_view id, std::string_view timestamp, std::string_view body) {
  std::string content;
  content.reserve(id.size() + timestamp.size() + body.size() + 2);
  content.append(id).append(1, '.').append(timestamp).append(1, '.').append(body);
  return content;
}

/// The bytes after a prefix. Error: bad_key with `expected`.
Result<crypto::Secret> decode(std::string_view text, std::string_view prefix,
                              std::string_view expected) {
  auto bytes = crypto::base64_decode_lenient(text.substr(prefix.size()));
  if (!bytes || bytes->empty()) return fail(errc::bad_key, std::string(expected));
  return crypto::Secret::take(std::move(*bytes));
}

}  // namespace

Result<SigningKey> SigningKey::parse(std::string_view text) {
  if (text.empty()) return fail(errc::bad_key, "a signing secret must not be empty");
  if (text.starts_with(kPublicPrefix)) {
    return fail(errc::bad_key,
                "a whpk_ key is public and only verifies; signing needs its whsk_ key");
  }
  if (text.starts_with(kSecretPrefix)) {
    auto bytes = decode(text, kSecretPrefix,
                        "a secret that begins with whsec_ goes on with base64 of its bytes");
    if (!bytes) return fail(std::move(bytes.error()));
    return SigningKey(std::move(*bytes));
  }
  if (!text.starts_with(kPrivatePrefix)) return SigningKey(crypto::Secret(text));

  constexpr std::string_view kExpected =
      "a key that begins with whsk_ goes on with base64 of 64 bytes: an Ed25519 seed and its "
      "public key";
  auto bytes = decode(text, kPrivatePrefix, kExpected);
  if (!bytes) return fail(std::move(bytes.error()));
  const auto all = as_bytes(bytes->reveal());
  if (all.size() != kSeedBytes && all.size() != kSeedBytes + kPublicBytes) {
    return fail(errc::bad_key, std::string(kExpected));
  }
  crypto::Ed25519Key key(all.first<kSeedBytes>());
  if (all.size() > kSeedBytes && !std::ranges::equal(all.subspan(kSeedBytes), key.public_key())) {
    return fail(errc::bad_key,
                "the public half of this whsk_ key does not belong to its private half");
  }
  crypto::Secret seed(bytes->reveal().substr(0, kSeedBytes));
  return SigningKey(Asymmetric{std::move(key), std::move(seed)});
}

Version SigningKey::version() const {
  return std::holds_alternative<crypto::Secret>(key_) ? Version::v1 : Version::v1a;
}

std::string SigningKey::sign(std::string_view id, std::string_view timestamp,
                             std::string_view body) const {
  if (const auto* secret = std::get_if<crypto::Secret>(&key_)) {
    return "v1," + v1_text(secret->reveal(), id, timestamp, body);
  }
  const auto signature = std::get<Asymmetric>(key_).key.sign(v1a_content(id, timestamp, body));
  return "v1a," + crypto::base64_encode(as_text(signature));
}

std::string SigningKey::public_key() const {
  const auto* pair = std::get_if<Asymmetric>(&key_);
  if (pair == nullptr) return "";
  return std::string(kPublicPrefix) + crypto::base64_encode(as_text(pair->key.public_key()));
}

crypto::Secret SigningKey::standard_text() const {
  std::string_view prefix = kSecretPrefix;
  std::string bytes;
  if (const auto* secret = std::get_if<crypto::Secret>(&key_)) {
    bytes = secret->reveal();
  } else {
    const auto& pair = std::get<Asymmetric>(key_);
    prefix = kPrivatePrefix;
    bytes.reserve(kSeedBytes + kPublicBytes);
    bytes.append(pair.seed.reveal()).append(as_text(pair.key.public_key()));
  }
  std::string encoded = crypto::base64_encode(bytes);
  crypto::wipe(bytes);
  std::string text;
  text.reserve(prefix.size() + encoded.size());
  text.append(prefix).append(encoded);
  crypto::wipe(encoded);
  return crypto::Secret::take(std::move(text));
}

Result<VerifyingKey> VerifyingKey::parse(std::string_view text) {
  if (text.starts_with(kPublicPrefix)) {
    constexpr std::string_view kExpected =
        "a key that begins with whpk_ goes on with base64 of 32 bytes: an Ed25519 public key";
    const auto bytes = decode(text, kPublicPrefix, kExpected);
    if (!bytes) return fail(bytes.error());
    crypto::Ed25519PublicKey key;
    if (bytes->reveal().size() != key.size()) return fail(errc::bad_key, std::string(kExpected));
    std::ranges::copy(as_bytes(bytes->reveal()), key.begin());
    return VerifyingKey(key);
  }
  auto signing = SigningKey::parse(text);
  if (!signing) return fail(std::move(signing.error()));
  if (auto* secret = std::get_if<crypto::Secret>(&signing->key_)) {
    return VerifyingKey(std::move(*secret));
  }
  return VerifyingKey(std::get<SigningKey::Asymmetric>(signing->key_).key.public_key());
}

Version VerifyingKey::version() const {
  return std::holds_alternative<crypto::Secret>(key_) ? Version::v1 : Version::v1a;
}

bool VerifyingKey::matches_any(std::string_view id, std::string_view timestamp,
                               std::string_view body,
                               std::span<const std::string_view> signatures) const {
  if (signatures.empty()) return false;
  if (const auto* secret = std::get_if<crypto::Secret>(&key_)) {
    const std::string expected = v1_text(secret->reveal(), id, timestamp, body);
    return std::ranges::any_of(signatures, [&](std::string_view signature) {
      return crypto::equal_constant_time(expected, signature);
    });
  }
  const std::string content = v1a_content(id, timestamp, body);
  return std::ranges::any_of(signatures, [&](std::string_view signature) {
    const auto bytes = crypto::base64_decode(signature);
    return bytes &&
           crypto::ed25519_verify(std::get<crypto::Ed25519PublicKey>(key_), content, *bytes);
  });
}

}  // namespace grapnel::signature
