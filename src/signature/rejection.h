// Why a request that came in does not verify. Each text is a metric label; the sentences are for
// the source's owner, never for whoever sent the request.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace grapnel::signature {

enum class Rejection : std::uint8_t {
  missing_signature,    ///< no header (or parameter) with a signature or token
  malformed_signature,  ///< not in the form of the scheme
  too_many_signatures,  ///< more than limits.h allows
  doubled_header,       ///< a header that the scheme reads came twice: which one counts is a guess
  missing_id,           ///< the scheme signs an id that is not there
  malformed_id,         ///< an id that makes the signed text ambiguous
  missing_timestamp,    ///< the scheme signs a time that is not there
  malformed_timestamp,  ///< not a number
  too_old,              ///< beyond the tolerance: a replay, a late retry, or a wrong clock
  too_new,              ///< beyond the tolerance: a wrong clock
  no_match,             ///< another secret, or another body, time, id or URL than what was signed
  no_secret,            ///< the source has no secret to verify with
  insecure,             ///< the source requires HTTPS, the request came without
  bad_certificate,      ///< no client certificate, or one that the source's CAs did not sign
  unusable,             ///< the source's verification cannot be set up (its secrets do not open)
};
inline constexpr int kRejections = 15;
static_assert(static_cast<int>(Rejection::unusable) + 1 == kRejections);

std::string_view to_text(Rejection reason);

struct Rejected {
  Rejection reason = Rejection::no_match;
  std::string detail;  ///< one sentence for the owner; no secret and no expected signature
};

}  // namespace grapnel::signature
