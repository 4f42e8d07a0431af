#include "crypto/digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/check.h"
#include "crypto/bytes.h"

namespace grapnel::crypto {
namespace {

struct FreeMd {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using MdContext = std::unique_ptr<EVP_MD_CTX, FreeMd>;

MdContext make_sha256_context() {
  MdContext context(EVP_MD_CTX_new());
  GRAPNEL_CHECK(context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
  return context;
}

/// A context without a key.
EVP_MAC_CTX* make_hmac_context() {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  GRAPNEL_CHECK(mac != nullptr);
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
  EVP_MAC_free(mac);  // the context holds a reference
  GRAPNEL_CHECK(context != nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  GRAPNEL_CHECK(EVP_MAC_CTX_set_params(context, params) == 1);
  return context;
}

void set_key(EVP_MAC_CTX* context, std::string_view key) {
  // A null pointer would mean "the key set before"; an empty key is a key.
  const char* data = key.empty() ? "" : key.data();
  GRAPNEL_CHECK(EVP_MAC_init(context, reinterpret_cast<const unsigned char*>(data), key.size(),
                             nullptr) == 1);
}

Digest finish(EVP_MAC_CTX* context, std::span<const std::string_view> parts) {
  for (const std::string_view part : parts) {
    if (part.empty()) continue;
    GRAPNEL_CHECK(EVP_MAC_update(context, as_bytes(part).data(), part.size()) == 1);
  }
  Digest out;
  std::size_t size = 0;
  GRAPNEL_CHECK(EVP_MAC_final(context, out.data(), &size, out.size()) == 1 && size == out.size());
  return out;
}

}  // namespace

Digest sha256(std::string_view bytes) {
  thread_local const MdContext context = make_sha256_context();
  GRAPNEL_CHECK(EVP_DigestInit_ex(context.get(), nullptr, nullptr) == 1);
  if (!bytes.empty()) {
    GRAPNEL_CHECK(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
  }
  Digest out;
  GRAPNEL_CHECK(EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1);
  return out;
}

Digest sha256(std::span<const std::uint8_t> bytes) { return sha256(as_text(bytes)); }

void Sha256Stream::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256Stream::Sha256Stream() : context_(make_sha256_context().release()) {}

void Sha256Stream::add(std::string_view bytes) {
  if (bytes.empty()) return;
  GRAPNEL_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Digest Sha256Stream::finish() {
  Digest out;
  GRAPNEL_CHECK(EVP_DigestFinal_ex(context_.get(), out.data(), nullptr) == 1);
  return out;
}

void HmacSha256::Free::operator()(evp_mac_ctx_st* context) const { EVP_MAC_CTX_free(context); }

HmacSha256::HmacSha256(std::string_view key) : context_(make_hmac_context()) {
  set_key(context_.get(), key);
}

HmacSha256::HmacSha256(const HmacSha256& other) : context_(EVP_MAC_CTX_dup(other.context_.get())) {
  GRAPNEL_CHECK(context_ != nullptr);
}

HmacSha256& HmacSha256::operator=(const HmacSha256& other) { return *this = HmacSha256(other); }

Digest HmacSha256::of_parts(std::span<const std::string_view> parts) {
  GRAPNEL_CHECK(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1);  // keeps the key
  return finish(context_.get(), parts);
}

Digest hmac_sha256_of_parts(std::string_view key, std::span<const std::string_view> parts) {
  struct Free {
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  };
  thread_local const std::unique_ptr<EVP_MAC_CTX, Free> context(make_hmac_context());
  set_key(context.get(), key);
  return finish(context.get(), parts);
}

}  // namespace grapnel::crypto
