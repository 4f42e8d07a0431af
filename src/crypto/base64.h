// Base64 (RFC 4648 sections 4 and 5) and hexadecimal (section 8). Error messages name positions,
// never content: what is decoded here is often a secret.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace grapnel::crypto {

/// Standard alphabet, padded.
std::string base64_encode(std::string_view bytes);
/// Alphabet of URLs and file names, without padding.
std::string base64url_encode(std::string_view bytes);

/// Standard alphabet, padded, unused bits zero: each byte sequence has exactly one text. Error:
/// malformed.
Result<std::string> base64_decode(std::string_view text);
/// As people paste it: padding may be missing and unused bits may be set. Error: malformed.
Result<std::string> base64_decode_lenient(std::string_view text);

/// Lower case.
std::string hex_encode(std::string_view bytes);
/// Either case. Error: malformed.
Result<std::string> hex_decode(std::string_view text);

}  // namespace grapnel::crypto
