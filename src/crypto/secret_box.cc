#include "crypto/secret_box.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <span>
#include <utility>

#include "base/check.h"
#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "crypto/digest.h"
#include "crypto/errors.h"
#include "crypto/limits.h"

namespace grapnel::crypto {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kNameDigits = 8;
constexpr std::string_view kVersion = "v1:";
constexpr std::string_view kSpace = " \t\r\n";

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

std::string name_of(std::string_view key) {
  std::string text = "grapnel master key";
  text += key;
  const Digest digest = sha256(text);
  wipe(text);
  return hex_encode(as_text(digest)).substr(0, kNameDigits);
}

int size_of(std::string_view text) { return static_cast<int>(text.size()); }

/// nonce || ciphertext || tag. The nonce has 12 bytes, GCM's default.
std::string encrypt(std::string_view key, std::string_view nonce, std::string_view plaintext,
                    std::string_view aad) {
  const CipherContext context(EVP_CIPHER_CTX_new());
  GRAPNEL_CHECK(context && EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr,
                                              as_bytes(key).data(), as_bytes(nonce).data()) == 1);
  int size = 0;
  if (!aad.empty()) {
    GRAPNEL_CHECK(
        EVP_EncryptUpdate(context.get(), nullptr, &size, as_bytes(aad).data(), size_of(aad)) == 1);
  }
  std::string out(nonce);
  out.resize(kNonceBytes + plaintext.size() + kTagBytes);
  auto* at = reinterpret_cast<unsigned char*>(out.data()) + kNonceBytes;
  if (!plaintext.empty()) {
    GRAPNEL_CHECK(EVP_EncryptUpdate(context.get(), at, &size, as_bytes(plaintext).data(),
                                    size_of(plaintext)) == 1);
    at += size;
  }
  GRAPNEL_CHECK(EVP_EncryptFinal_ex(context.get(), at, &size) == 1 && size == 0);
  GRAPNEL_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, at) == 1);
  return out;
}

/// Not set when the tag does not match. `box` has at least a nonce and a tag.
std::optional<Secret> decrypt(std::string_view key, std::string_view box, std::string_view aad) {
  const std::string_view nonce = box.substr(0, kNonceBytes);
  const std::string_view body = box.substr(kNonceBytes, box.size() - kNonceBytes - kTagBytes);
  std::array<char, kTagBytes> tag;
  box.copy(tag.data(), kTagBytes, box.size() - kTagBytes);

  const CipherContext context(EVP_CIPHER_CTX_new());
  GRAPNEL_CHECK(context && EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr,
                                              as_bytes(key).data(), as_bytes(nonce).data()) == 1);
  int size = 0;
  if (!aad.empty()) {
    GRAPNEL_CHECK(
        EVP_DecryptUpdate(context.get(), nullptr, &size, as_bytes(aad).data(), size_of(aad)) == 1);
  }
  std::string out(body.size(), '\0');
  auto* at = reinterpret_cast<unsigned char*>(out.data());
  if (!body.empty()) {
    GRAPNEL_CHECK(
        EVP_DecryptUpdate(context.get(), at, &size, as_bytes(body).data(), size_of(body)) == 1);
    at += size;
  }
  GRAPNEL_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) ==
                1);
  const bool good = EVP_DecryptFinal_ex(context.get(), at, &size) == 1;
  Secret secret = Secret::take(std::move(out));
  if (good) return secret;
  ERR_clear_error();
  return std::nullopt;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

MasterKey::MasterKey(Secret bytes) : bytes_(std::move(bytes)), name_(name_of(bytes_.reveal())) {}

MasterKey MasterKey::make(Random& random) {
  std::string bytes(kKeyBytes, '\0');
  random.fill(std::as_writable_bytes(std::span{bytes}));
  return MasterKey(Secret::take(std::move(bytes)));
}

Secret MasterKey::text() const { return Secret::take(hex_encode(bytes())); }

Result<MasterKey> parse_master_key(std::string_view text) {
  text = trim(text);
  if (text.size() <= kMasterKeyTextMax) {
    auto bytes = text.size() == 2 * kKeyBytes ? hex_decode(text) : base64_decode_lenient(text);
    if (bytes && bytes->size() == kKeyBytes) return MasterKey(Secret::take(std::move(*bytes)));
  }
  return fail(errc::malformed,
              fmt::format("a master key is 32 bytes, written as 64 hexadecimal digits or as base64 "
                          "(44 characters); what was given has {} characters and is neither. "
                          "`openssl rand -hex 32` makes one",
                          text.size()));
}

std::optional<std::string_view> key_name_of(std::string_view sealed) {
  const std::size_t prefix = kVersion.size() + kNameDigits;
  if (!sealed.starts_with(kVersion) || sealed.size() <= prefix || sealed[prefix] != ':') {
    return std::nullopt;
  }
  const std::string_view name = sealed.substr(kVersion.size(), kNameDigits);
  if (name.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  return name;
}

SecretBox::SecretBox(Random& random, MasterKey current, std::vector<MasterKey> older)
    : random_(random), current_(std::move(current)), older_(std::move(older)) {
  GRAPNEL_CHECK(older_.size() <= kOlderKeysMax, older_.size());
}

const MasterKey* SecretBox::find_key(std::string_view name) const {
  if (current_.name() == name) return &current_;
  for (const MasterKey& key : older_) {
    if (key.name() == name) return &key;
  }
  return nullptr;
}

Result<std::string> SecretBox::seal(std::string_view plaintext, std::string_view context) const {
  if (plaintext.size() > kPlaintextBytesMax) {
    return fail(errc::too_large, fmt::format("a secret has at most {} bytes, this one has {}",
                                             kPlaintextBytesMax, plaintext.size()));
  }
  std::array<char, kNonceBytes> nonce;
  random_.fill(std::as_writable_bytes(std::span{nonce}));
  const std::string box =
      encrypt(current_.bytes(), {nonce.data(), nonce.size()}, plaintext, context);
  return fmt::format("{}{}:{}", kVersion, current_.name(), base64_encode(box));
}

Result<Secret> SecretBox::open(std::string_view sealed, std::string_view context) const {
  const auto damaged = [&] {
    return fail(errc::damaged,
                fmt::format("the sealed secret of {} is damaged or belongs elsewhere; set it again",
                            context.empty() ? "this entry" : context));
  };
  const auto name = key_name_of(sealed);
  if (!name) return damaged();
  const MasterKey* key = find_key(*name);
  if (key == nullptr) {
    return fail(
        errc::wrong_key,
        fmt::format("a stored secret was sealed with the master key {0}, and the key given is "
                    "{1}: set GRAPNEL_MASTER_KEY to the key {0} that sealed it, or list that "
                    "key among the older ones",
                    *name, current_.name()));
  }
  const auto box = base64_decode(sealed.substr(kVersion.size() + kNameDigits + 1));
  if (!box || box->size() < kNonceBytes + kTagBytes ||
      box->size() > kNonceBytes + kPlaintextBytesMax + kTagBytes) {
    return damaged();
  }
  auto secret = decrypt(key->bytes(), *box, context);
  if (!secret) return damaged();
  return std::move(*secret);
}

bool SecretBox::is_outdated(std::string_view sealed) const {
  return key_name_of(sealed) != std::string_view(current_.name());
}

Secret SecretBox::derive(std::string_view label) const {
  Digest key =
      hmac_sha256(current_.bytes(), "grapnel derived key\n", label, std::string_view("\1", 1));
  Secret secret(as_text(key));
  wipe(key.data(), key.size());
  return secret;
}

}  // namespace grapnel::crypto
