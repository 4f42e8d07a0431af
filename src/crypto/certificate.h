// Client certificates (X.509, RFC 5280) against a bundle of CAs.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace grapnel::crypto {

/// Whether a text holds PEM certificates, and nothing that is broken. Error: malformed.
Result<> check_ca_bundle(std::string_view pem);

/// Whether the first certificate (DER; the others may help to build the chain) is for a client, in
/// force at that time, and signed by one of the bundle's. A bundle may name a CA that is signed by
/// another one: then it is the end of the chain. Errors: malformed, untrusted; each with a sentence
/// that says why. Thread-safe.
Result<> verify_client_certificate(std::span<const std::string> chain, std::string_view bundle,
                                   Time now);

/// The subject of a certificate in one line (RFC 2253); "" when it cannot be read.
std::string subject_of(std::string_view certificate);

}  // namespace grapnel::crypto
