// Why a request does not verify, or cannot be signed.
#pragma once

#include "base/result.h"

namespace grapnel::signature {

enum class errc {
  bad_key = 1,     ///< a secret is empty or not what its prefix says; whoever set it sets another
  no_key,          ///< no unexpired key serves the scheme; whoever configured it adds one
  missing_header,  ///< one of the headers is absent or empty; refuse the request
  bad_id,         ///< webhook-id contains a '.', which would make the signed text ambiguous; refuse
  bad_timestamp,  ///< webhook-timestamp is not a number of seconds; refuse
  too_old,        ///< the timestamp is older than the tolerance: a replay, or a wrong clock; refuse
  too_new,        ///< the timestamp is further ahead than the tolerance: a wrong clock; refuse
  too_many_signatures,  ///< more entries than limits.h allows; refuse
  no_known_version,     ///< no entry is of a version that the keys can check; refuse
  malformed_signature,  ///< X-Webhook-Signature-256 is not "sha256=" and 64 digits; refuse
  bad_scheme,           ///< how a source verifies makes no sense; whoever configured it mends it
  no_match,             ///< the body, the id, the timestamp or the key is another one; refuse
};
std::error_code make_error_code(errc code) noexcept;

}  // namespace grapnel::signature

template <>
struct std::is_error_code_enum<grapnel::signature::errc> : std::true_type {};
