// API tokens: `gk_` and 43 characters of base64url (32 random bytes). The prefix lets scanners of
// repositories find a leaked one. Only the hash is stored; with 256 random bits a plain SHA-256 is
// enough, and a slow password hash would only cost time on every request.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "crypto/secret.h"

namespace grapnel::crypto {

Secret make_token(Random& random);
/// 64 hexadecimal digits of SHA-256; of any text, since a key from the environment may have any
/// form.
std::string token_hash(std::string_view token);

}  // namespace grapnel::crypto
