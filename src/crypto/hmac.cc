#include "crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>

#include "base/check.h"
#include "crypto/bytes.h"

namespace grapnel::crypto {
namespace {

struct Known {
  const char* name;
  std::size_t bytes;
};
constexpr std::array<Known, 3> kKnown{{{"SHA1", 20}, {"SHA256", 32}, {"SHA512", 64}}};

const Known& known(HashKind hash) { return kKnown.at(static_cast<std::size_t>(hash)); }

}  // namespace

std::size_t digest_bytes(HashKind hash) { return known(hash).bytes; }

void HmacStream::Free::operator()(evp_mac_ctx_st* context) const { EVP_MAC_CTX_free(context); }

HmacStream::HmacStream(HashKind hash, std::string_view key) : hash_(hash) {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  GRAPNEL_CHECK(mac != nullptr);
  context_.reset(EVP_MAC_CTX_new(mac));
  EVP_MAC_free(mac);  // the context holds a reference
  GRAPNEL_CHECK(context_ != nullptr);
  std::string digest = known(hash).name;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end(),
  };
  // A null pointer would mean "the key set before"; an empty key is a key.
  const char* data = key.empty() ? "" : key.data();
  GRAPNEL_CHECK(EVP_MAC_init(context_.get(), reinterpret_cast<const unsigned char*>(data),
                             key.size(), params) == 1);
}

void HmacStream::add(std::string_view bytes) {
  if (bytes.empty()) return;
  GRAPNEL_CHECK(EVP_MAC_update(context_.get(), as_bytes(bytes).data(), bytes.size()) == 1);
}

std::string HmacStream::finish() {
  std::string out(known(hash_).bytes, '\0');
  std::size_t size = 0;
  GRAPNEL_CHECK(EVP_MAC_final(context_.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                              out.size()) == 1 &&
                size == out.size());
  return out;
}

}  // namespace grapnel::crypto
