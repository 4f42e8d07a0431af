#include "crypto/keyed_digest.h"

#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "crypto/digest.h"

namespace grapnel::crypto {

std::string KeyedDigest::text_of(std::string_view value) const {
  constexpr std::size_t kKeptBytes = 16;
  const Digest digest = hmac_sha256(key_.reveal(), value);
  return "digest:" + base64url_encode(as_text(digest).substr(0, kKeptBytes));
}

}  // namespace grapnel::crypto
