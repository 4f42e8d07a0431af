// Secrets on the way in: the values of secret headers and query parameters become keyed digests
// before anything is stored, logged, shown or forwarded.
#pragma once

#include <string>
#include <string_view>

#include "crypto/keyed_digest.h"
#include "model/headers.h"
#include "model/source.h"

namespace grapnel::pipeline {

/// Replaces the values in place; equal values have equal digests, so that an owner can still
/// compare them.
void redact_headers(const model::Source& source, const crypto::KeyedDigest& digest,
                    model::HeaderList& headers);
/// The target with the values of secret query parameters replaced.
std::string redact_target(const model::Source& source, const crypto::KeyedDigest& digest,
                          std::string_view target);

}  // namespace grapnel::pipeline
