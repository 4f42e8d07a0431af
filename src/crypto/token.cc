#include "crypto/token.h"

#include <array>
#include <span>

#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "crypto/digest.h"

namespace grapnel::crypto {

Secret make_token(Random& random) {
  std::array<char, 32> bytes;
  random.fill(std::as_writable_bytes(std::span{bytes}));
  std::string encoded = base64url_encode({bytes.data(), bytes.size()});
  std::string text = "gk_" + encoded;
  wipe(bytes.data(), bytes.size());
  wipe(encoded);
  return Secret::take(std::move(text));
}

std::string token_hash(std::string_view token) { return hex_encode(as_text(sha256(token))); }

}  // namespace grapnel::crypto
