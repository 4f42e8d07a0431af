// The scheme of the original relay: `X-Webhook-Signature-256: sha256=<hex>`, HMAC-SHA256 over the
// body alone, keyed with the secret's text as it is written (whsec_ included). It carries neither a
// time nor an id, so a captured request can be replayed; Standard Webhooks is the better choice.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace grapnel::signature {

inline constexpr std::string_view kBodyHmacHeader = "X-Webhook-Signature-256";

/// "sha256=" and 64 lower-case digits.
std::string sign_body(std::string_view secret_text, std::string_view body);

/// `value` is the header's, "" = absent; its digits may be of either case. Errors: bad_key (an
/// empty secret verifies nothing), missing_header, malformed_signature, no_match.
Result<> verify_body(std::string_view secret_text, std::string_view value, std::string_view body);

}  // namespace grapnel::signature
