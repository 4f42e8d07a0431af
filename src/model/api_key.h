// An API key: a row with a hash, never the key itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"

namespace grapnel::model {

/// Each includes those below it: admin (keys and everything) > write > read > ingest (post events
/// only).
enum class KeyScope : std::uint8_t { ingest, read, write, admin };

struct ApiKey {
  KeyId id;
  std::string name;
  std::string hash;  ///< lower-case hex SHA-256 of the key's text
  KeyScope scope = KeyScope::read;
  std::vector<SourceId> sources;  ///< empty: all. Otherwise everything of other sources is 404
  std::optional<Time> expires;
  Time created;
  std::optional<Time> last_used;  ///< to the minute
};

}  // namespace grapnel::model
