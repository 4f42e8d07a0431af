// The providers whose webhooks are known here. A provider is one row of the table in provider.cc:
// data, and nothing else anywhere (docs/PROVIDERS.md shows how to add one).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "model/source.h"
#include "signature/scheme.h"

namespace grapnel::signature {

/// Whose secret it is.
enum class Origin : std::uint8_t {
  ours,    ///< any text: one is made where none is given
  theirs,  ///< the provider makes it; `where` says where it is found
  none,    ///< the scheme has no secret
};

/// What a made secret looks like.
enum class SecretForm : std::uint8_t { hex, whsec, token, basic };

/// Whether a captured request can be sent again.
enum class Replay : std::uint8_t {
  bound,       ///< the signed text has a time or an id: a repeat is old, or a duplicate
  replayable,  ///< nothing signed tells a repeat: the idempotency key alone decides
};

struct Provider {
  std::string_view name;
  Scheme scheme;
  Replay replay = Replay::replayable;
  Origin origin = Origin::ours;
  SecretForm form = SecretForm::hex;
  std::string_view where;  ///< of Origin::theirs: where its owner finds the secret
  std::vector<model::Place> idempotency;
  std::optional<model::Place> event_type = std::nullopt;  ///< not set: the default rule
};

std::span<const Provider> providers();
/// Null: there is none of that name.
const Provider* find_provider(std::string_view name);

/// The source's scheme; Method::none where it has no provider. Errors: bad_scheme (an unknown
/// provider, or a setting that does not fit).
Result<Scheme> scheme_of(const model::Inbound& inbound);

/// Checks the source's verification and derives what depends on it (secret_headers, secret_query).
/// To be called before a source is stored. Errors: those of scheme_of().
Result<> settle(model::Source& source);

/// The source with what its provider knows where it says nothing itself: idempotency places and
/// event type.
model::Source with_provider(model::Source source);

/// Whether that text can be a secret of the scheme. Error: bad_key; never repeats the text.
Result<> check_secret(const Scheme& scheme, std::string_view secret);
/// 32 random bytes in the form that the provider's page takes.
crypto::Secret make_inbound_secret(SecretForm form, Random& random);
/// What stands in a request for that secret: a header's whole value, or the secret itself.
crypto::Secret carried_text(const Scheme& scheme, std::string_view secret);

}  // namespace grapnel::signature
