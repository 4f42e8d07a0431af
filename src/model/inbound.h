// How a source knows who sent a request: its provider, what it sets otherwise, and its secrets.
// What a provider's name means is the signature room's table (signature/provider.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace grapnel::model {

/// One secret, sealed for its source's id (crypto/secret_box.h).
struct InboundSecret {
  enum class Use : std::uint8_t {
    signature,  ///< what requests are signed with, or carry
    handshake,  ///< what the provider repeats when it asks whether we are there
  };
  std::string sealed;
  Time created;
  /// Keyed digest of what a request would carry or be signed with: equal to what is stored in place
  /// of a secret header's value, so that an owner can compare. Its name in the API.
  std::string fingerprint;
  Use use = Use::signature;
  bool operator==(const InboundSecret&) const = default;
};

/// What a source sets otherwise than its provider; the signature room reads the texts. Not set: as
/// the provider does.
struct VerifySettings {
  std::optional<std::string> header;     ///< where the signature or token is
  std::optional<std::string> algorithm;  ///< sha1 sha256 sha512
  std::optional<std::string> encoding;   ///< hex base64
  std::optional<std::string> prefix;     ///< before the signature or token
  std::optional<std::string>
      signed_text;                       ///< field "signed": a template such as {timestamp}.{body}
  std::optional<std::string> timestamp;  ///< header:Name, or a JSON pointer into the body
  std::optional<std::string> timestamp_unit;  ///< s ms
  std::optional<std::string> id;              ///< header:Name, the template's {id}
  std::optional<Millis> tolerance;
  std::optional<std::string> handshake;  ///< none slack zoom meta discord cloudevents
  std::optional<std::string> ca_bundle;  ///< PEM: who signs the clients' certificates
  bool operator==(const VerifySettings&) const = default;
};

struct Inbound {
  std::string provider;                ///< "": nothing is verified
  std::vector<InboundSecret> secrets;  ///< newest first, at most kSigningSecretsMax of each use
  VerifySettings settings;
  bool require_https = false;  ///< over TLS, ours or a trusted proxy's
  int quarantine = 0;          ///< refused requests that are kept to be looked at
  /// Where the scheme finds credentials that a request carries: never stored or forwarded as they
  /// are. Derived (signature/provider.h) whenever one of the above is set.
  std::vector<std::string> secret_headers;
  std::vector<std::string> secret_query;
  bool operator==(const Inbound&) const = default;
};

}  // namespace grapnel::model
