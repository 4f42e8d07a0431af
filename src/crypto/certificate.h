// Client certificates (X.509, RFC 5280) against a bundle of CAs.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

struct x509_store_st;  // of OpenSSL

namespace grapnel::crypto {

/// Whether a text holds PEM certificates, and nothing that is broken. Error: malformed.
Result<> check_ca_bundle(std::string_view pem);

/// A bundle of CAs, read once. Immutable; thread-safe.
class CaBundle {
 public:
  /// Of PEM certificates. Error: malformed.
  static Result<CaBundle> parse(std::string_view pem);

  /// Whether the first certificate (DER; the others may help to build the chain) is for a client,
  /// in force at that time, and signed by one of the bundle's. A bundle may name a CA that is
  /// signed by another one: then it is the end of the chain. Errors: malformed, untrusted; each
  /// with a sentence that says why.
  Result<> verify(std::span<const std::string> chain, Time now) const;

 private:
  explicit CaBundle(std::shared_ptr<x509_store_st> store) : store_(std::move(store)) {}
  std::shared_ptr<x509_store_st> store_;
};

/// The subject of a certificate in one line (RFC 2253); "" when it cannot be read.
std::string subject_of(std::string_view certificate);

}  // namespace grapnel::crypto
