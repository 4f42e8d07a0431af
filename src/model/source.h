// A source: where events come from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"
#include "model/inbound.h"
#include "model/limits.h"
#include "model/script.h"

namespace grapnel::model {

enum class SourceMode : std::uint8_t {
  active,  ///< store and fan out
  record,  ///< store only: samples, no deliveries ever
  paused,  ///< store and hold; fan out in `seq` order when active again
};

/// Who may change a definition: each has one owner.
enum class ManagedBy : std::uint8_t { api, apply, crd };

/// Where a value is read from: a request header, or a JSON pointer (RFC 6901) into the body.
/// Text form: "header:X-GitHub-Event" or a pointer such as "/id".
struct Place {
  enum class Kind : std::uint8_t { header, pointer };
  Kind kind = Kind::header;
  std::string name;
  bool operator==(const Place&) const = default;
};

/// Bounds of open work; reaching one is a named error and a metric.
struct BacklogBound {
  std::int64_t count = kBacklogCountMax;
  std::int64_t bytes = kBacklogBytesMax;
  bool operator==(const BacklogBound&) const = default;
};

struct RateLimit {
  double per_second = 0;  ///< 0: none
  double burst = 0;       ///< 0: the same as one second's worth, at least 1
  bool operator==(const RateLimit&) const = default;
};

struct Source {
  SourceId id;
  std::string slug;  ///< the path segment of POST /webhooks/{slug}: [a-z0-9-], unique among those
                     ///< not deleting
  std::string name;
  SourceMode mode = SourceMode::active;
  /// Where the idempotency key is looked for, in order; not set: default_idempotency_places().
  std::optional<std::vector<Place>> idempotency;
  std::optional<Place> event_type;    ///< not set: the default rule (pipeline/describe.h)
  std::optional<Place> ordering_key;  ///< not set: unordered
  bool require_json = false;          ///< 415 and 422 for anything else
  std::uint64_t body_bytes_max = kBodyBytesDefault;
  RateLimit rate_limit;
  std::vector<std::string> secret_headers;  ///< besides default_secret_headers()
  std::vector<std::string> secret_query;    ///< query parameters whose values are never stored
  Inbound inbound;                          ///< how requests are verified
  ScriptPtr script;                         ///< transform(event); null: none (model/transform.h)
  int script_versions = 0;  ///< versions of it so far; the newest may be cleared again
  std::string public_url;   ///< what the sender believes our URL to be; "" = as received
  BacklogBound held_bound;
  ManagedBy managed_by = ManagedBy::api;
  bool deleting = false;  ///< ingest answers 404, nothing matches, the slug is free
  Revision revision = 0;  ///< of this source or any of its actions, whichever changed last
  Time created;
  Time updated;
};

/// X-Idempotency-Key, Idempotency-Key, webhook-id, X-GitHub-Delivery, ce-id (which counts with
/// ce-source).
const std::vector<Place>& default_idempotency_places();
/// Authorization, Proxy-Authorization, Cookie, X-Api-Key, X-Gitlab-Token.
const std::vector<std::string>& default_secret_headers();
/// One of those, of the source's own secret_headers, or of those that its verification reads.
bool is_secret_header(const Source& source, std::string_view name);

}  // namespace grapnel::model
