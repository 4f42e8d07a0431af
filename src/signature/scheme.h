// How a request proves who sent it, as data: where the proof is, what it covers, how it is written.
// Values that a source sets otherwise than its provider are read here.
//
//   signed text of Slack:   v0:{timestamp}:{body}
//   its header:             X-Slack-Signature: v0=<hex of HMAC-SHA256(secret, signed text)>
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/hmac.h"
#include "model/inbound.h"
#include "signature/limits.h"

namespace grapnel::signature {

enum class Method : std::uint8_t {
  none,         ///< nothing is verified
  hmac,         ///< a keyed digest of the signed text
  ed25519,      ///< a signature of the signed text; the secret is the sender's public key
  token,        ///< the secret itself is in the request
  basic,        ///< RFC 7617; the secret is "user:password"
  standard,     ///< Standard Webhooks 1.0, v1 and v1a (standard_webhooks.h)
  certificate,  ///< a client certificate that a given CA signed
};

enum class Encoding : std::uint8_t {
  hex,     ///< lower case
  base64,  ///< padded
};

enum class Listing : std::uint8_t {
  one,    ///< the header's value is the signature
  pairs,  ///< "t=1,v1=…,v1=…": any item with the scheme's prefix may match
};

enum class TimeUnit : std::uint8_t { seconds, millis };

/// What the provider asks before it sends events (handshake.h).
enum class Handshake : std::uint8_t { none, slack, zoom, meta, discord, cloudevents };
std::string_view to_text(Handshake handshake);

struct Scheme {
  Method method = Method::none;
  std::string header;  ///< of the signature or token
  crypto::HashKind hash = crypto::HashKind::sha256;
  Encoding encoding = Encoding::hex;
  std::string prefix;  ///< before the signature or token; of `pairs`, of the items that count
  Listing listing = Listing::one;
  std::string signed_text = "{body}";  ///< parts: {body} {form} {timestamp} {id} {url}
  std::string timestamp;               ///< header:Name, item:t (of pairs), /pointer; "": none
  TimeUnit unit = TimeUnit::seconds;
  Millis tolerance = kToleranceDefault;
  std::string id;     ///< header:Name of {id}; "": none
  std::string query;  ///< a parameter that may carry the token instead of the header
  Handshake handshake = Handshake::none;
  std::string ca_bundle;  ///< of Method::certificate
};

/// One part of a signed text's template.
struct Part {
  enum class Kind : std::uint8_t {
    literal,
    body,       ///< as received, byte for byte
    form,       ///< a form's parameters by name and value, joined; else the body by its hash in the
                ///< URL (Twilio)
    timestamp,  ///< as it came
    id,
    url,
  };
  Kind kind = Kind::literal;
  std::string text;  ///< of a literal
};
/// Error: bad_scheme, one line that says what is expected.
Result<std::vector<Part>> parse_template(std::string_view text);

/// The provider's scheme with what the source sets otherwise. Error: bad_scheme, "verify.field:
/// sentence".
Result<Scheme> with_settings(Scheme scheme, const model::VerifySettings& settings);

/// The header of "header:Name", or "".
std::string_view header_of(std::string_view place);

}  // namespace grapnel::signature
