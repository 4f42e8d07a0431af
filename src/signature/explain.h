// Why a captured request verifies or does not, for the owner of its source. Never a secret, and of
// a signature that would have matched only its first characters: nobody can sign with those.
#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <vector>

#include "signature/verifier.h"

namespace grapnel::signature {

/// A scheme as people read it: method, header, what is signed, tolerance.
boost::json::object show_scheme(const Scheme& scheme);

/// {"verified", "reason", "detail", "scheme", "headers": what was seen of those that the scheme
/// reads, "signed": the parts of the signed text with their lengths and the whole's SHA-256,
/// "signatures": what came, "secrets": one each, in the verifier's order and by these names,
/// "timestamp"}. What could not be found out is left out.
boost::json::object explain(const Verifier& verifier, const model::HttpRequest& request,
                            const Surroundings& surroundings,
                            const std::vector<std::string>& secret_names);

}  // namespace grapnel::signature
