#include "crypto/compare.h"

#include <openssl/crypto.h>

namespace grapnel::crypto {

bool equal_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  return a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace grapnel::crypto
