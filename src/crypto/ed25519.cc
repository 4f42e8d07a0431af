#include "crypto/ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/check.h"
#include "crypto/bytes.h"

namespace grapnel::crypto {
namespace {

struct FreeMd {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using MdContext = std::unique_ptr<EVP_MD_CTX, FreeMd>;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

}  // namespace

Ed25519Key::Ed25519Key(std::span<const std::uint8_t, 32> seed)
    : key_(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()),
           FreeKey{}) {
  GRAPNEL_CHECK(key_ != nullptr);
  std::size_t size = public_key_.size();
  GRAPNEL_CHECK(EVP_PKEY_get_raw_public_key(key_.get(), public_key_.data(), &size) == 1 &&
                size == public_key_.size());
}

Ed25519Signature Ed25519Key::sign(std::string_view message) const {
  const MdContext context(EVP_MD_CTX_new());
  GRAPNEL_CHECK(context &&
                EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1);
  Ed25519Signature out;
  std::size_t size = out.size();
  GRAPNEL_CHECK(EVP_DigestSign(context.get(), out.data(), &size, as_bytes(message).data(),
                               message.size()) == 1 &&
                size == out.size());
  return out;
}

bool ed25519_verify(const Ed25519PublicKey& public_key, std::string_view message,
                    std::string_view signature) {
  if (signature.size() != sizeof(Ed25519Signature)) return false;
  const std::unique_ptr<EVP_PKEY, FreeKey> key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, public_key.data(), public_key.size()));
  const MdContext context(EVP_MD_CTX_new());
  const bool good =
      key && context &&
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
      EVP_DigestVerify(context.get(), as_bytes(signature).data(), signature.size(),
                       as_bytes(message).data(), message.size()) == 1;
  // A refused signature leaves entries in the thread's error queue, where a TLS call would find
  // them.
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace grapnel::crypto
