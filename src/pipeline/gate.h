// Who may send to a source: its verification, set up once a revision, applied to each request.
#pragma once

#include <boost/json/object.hpp>

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "crypto/keyed_digest.h"
#include "crypto/secret_box.h"
#include "model/http.h"
#include "model/source.h"
#include "pipeline/json_scan.h"
#include "signature/verifier.h"

namespace grapnel::pipeline {

/// How one revision of a source takes requests. Immutable; thread-safe.
struct Entrance {
  /// With what its provider knows (signature::with_provider): what describe() reads.
  model::Source source;
  std::optional<signature::Verifier> verifier;  ///< not set: `broken` says why
  std::string broken;
  std::vector<crypto::Secret> handshake_tokens;
};
using EntrancePtr = std::shared_ptr<const Entrance>;

/// Opens a source's secrets. One that does not open makes the whole entrance unusable: nothing is
/// verified by half.
EntrancePtr open_entrance(const crypto::SecretBox& box, const model::Source& source);

/// Whether the request may come in. `rest` is called between pieces of the body; may be empty.
std::expected<signature::Verified, signature::Rejected> verify(const Entrance& entrance,
                                                               const model::HttpRequest& request,
                                                               Time now,
                                                               std::function<void()> rest = {});
/// What the body says for a handshake that comes as a verified request.
std::optional<model::HttpResponse> handshake_in(const Entrance& entrance,
                                                const signature::Verified& verified,
                                                const model::HttpRequest& request);

/// signature::explain() of a request as this entrance sees it; the names are the secrets'. Needs a
/// verifier.
boost::json::object explain(const Entrance& entrance, const model::HttpRequest& request, Time now,
                            const std::vector<std::string>& secret_names);

/// Entrances by source. Used on the loop's thread.
class Gate {
 public:
  /// `box` outlives the gate.
  explicit Gate(const crypto::SecretBox& box) : box_(box) {}

  /// Never null.
  EntrancePtr of(const model::Source& source);

 private:
  struct Entry {
    model::Revision revision = 0;
    EntrancePtr entrance;
  };

  const crypto::SecretBox& box_;
  std::unordered_map<model::SourceId, Entry> entries_;
};

/// Seals a secret for the source that will own it.
Result<std::string> seal_for(const crypto::SecretBox& box, model::SourceId source,
                             std::string_view secret);

}  // namespace grapnel::pipeline
