// Whether a request comes from who it says: a source's scheme and its opened secrets, applied to
// one request.
//
//   read headers --> check the time --> compare over the raw body --> check a time in the body
//        \________________\____________________\_________________________\____> Rejected
//
// Signatures and tokens are compared in constant time, and only in their one canonical form. What a
// hostile request can cost is bounded by limits.h.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/certificate.h"
#include "crypto/secret.h"
#include "model/http.h"
#include "signature/key.h"
#include "signature/rejection.h"
#include "signature/scheme.h"

namespace grapnel::signature {

/// What a verification needs besides the request.
struct Surroundings {
  std::string_view public_url;  ///< Source::public_url
  Time now;                     ///< wall clock
  /// The scalar that the JSON body holds at a pointer. Asked only after a signature matched.
  std::function<std::optional<std::string>(std::string_view pointer)> look_up;
  /// Called before each piece of the body is read; may be empty.
  std::function<void()> before_piece;
};

/// What a request says about itself, before any secret is looked at. Borrows nothing.
struct Claim {
  std::vector<std::string> signatures;  ///< without prefix; of a token, the token
  std::string timestamp;
  std::string id;
  std::vector<std::string> urls;  ///< those that the sender may have signed
};

struct Verified {
  std::size_t secret = 0;  ///< which one of the verifier's matched
};

/// A source's scheme and secrets at one revision. Immutable; thread-safe.
class Verifier {
 public:
  /// Errors: bad_key (a secret does not fit the scheme), bad_scheme.
  static Result<Verifier> make(Scheme scheme, std::vector<crypto::Secret> secrets);

  /// Nothing to do for Method::none.
  std::expected<Verified, Rejected> verify(const model::HttpRequest& request,
                                           const Surroundings& surroundings) const;

  /// The parts of verify(), for explain.h.
  std::expected<Claim, Rejected> read(const model::HttpRequest& request,
                                      std::string_view public_url) const;
  std::expected<void, Rejected> check_time(std::string_view timestamp, Time now) const;
  /// What is signed, in pieces whose sum is the text. `form` outlives the pieces.
  std::vector<std::string_view> signed_pieces(const model::HttpRequest& request, const Claim& claim,
                                              std::string_view url, std::string_view form) const;
  /// The text of {form} for a request at that URL. Error: why there is none.
  std::expected<std::string, Rejected> form_of(const model::HttpRequest& request,
                                               std::string_view url) const;

  const Scheme& scheme() const { return scheme_; }
  const std::vector<crypto::Secret>& secrets() const { return secrets_; }
  /// Whether {form} is part of what is signed.
  bool signs_form() const;

 private:
  Verifier(Scheme scheme, std::vector<Part> parts, std::vector<crypto::Secret> secrets,
           std::vector<VerifyingKey> keys)
      : scheme_(std::move(scheme)),
        parts_(std::move(parts)),
        secrets_(std::move(secrets)),
        keys_(std::move(keys)) {}

  std::expected<Verified, Rejected> verify_token(const Claim& claim) const;
  std::expected<Verified, Rejected> verify_standard(const model::HttpRequest& request,
                                                    const Claim& claim, Time now) const;
  std::expected<Verified, Rejected> verify_signed(const model::HttpRequest& request,
                                                  const Claim& claim,
                                                  const Surroundings& surroundings) const;
  bool matches(const crypto::Secret& secret, std::span<const std::string_view> pieces,
               const Claim& claim, const std::function<void()>& before_piece) const;

  Scheme scheme_;
  std::vector<Part> parts_;  // of signed_text
  std::vector<crypto::Secret> secrets_;
  std::vector<VerifyingKey> keys_;      // of Method::standard
  std::optional<crypto::CaBundle> ca_;  // of Method::certificate
};

/// The signature of these pieces in the scheme's encoding. For Method::hmac.
std::string mac_text(const Scheme& scheme, const crypto::Secret& secret,
                     std::span<const std::string_view> pieces,
                     const std::function<void()>& before_piece = {});

}  // namespace grapnel::signature
