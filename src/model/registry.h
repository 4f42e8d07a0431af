// PORT Registry: definitions (sources, actions, API keys), their one owner each, their revisions.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "model/action.h"
#include "model/api_key.h"
#include "model/source.h"

namespace grapnel::model {

using ActionPtr = std::shared_ptr<const Action>;

struct SourceEntry {
  Source source;
  std::vector<ActionPtr> actions;  ///< in order of creation; deleting ones included
};
using SourcePtr = std::shared_ptr<const SourceEntry>;

/// All definitions at one revision. Immutable; shared between threads.
struct RegistrySnapshot {
  Revision revision = 0;
  std::unordered_map<SourceId, SourcePtr> sources;        ///< deleting ones included
  std::unordered_map<std::string, SourceId> slugs;        ///< of sources that are not deleting
  std::unordered_map<ActionId, SourceId> action_sources;  ///< deleting ones included
  std::unordered_map<KeyId, ApiKey> keys;
  std::unordered_map<std::string, KeyId> key_hashes;

  /// Null when there is none (or it is deleting).
  SourcePtr find_source(std::string_view slug) const;
  /// These find deleting ones too. Null when there is none.
  SourcePtr find_source(SourceId id) const;
  ActionPtr find_action(ActionId id) const;
};
using SnapshotPtr = std::shared_ptr<const RegistrySnapshot>;

/// `expected` is the definition's revision that the change was made from; 0 creates. The registry
/// sets `revision`, `created` and `updated`. An action raises its source's revision too.
struct PutSource {
  Source source;
  Revision expected = 0;
};
struct PutAction {
  Action action;
  Revision expected = 0;
};
struct PutKey {
  ApiKey key;
};
struct DeleteKey {
  KeyId id;
};
using RegistryChange = std::variant<PutSource, PutAction, PutKey, DeleteKey>;

class Registry {
 public:
  virtual ~Registry() = default;
  /// The newest committed definitions. Loop's thread.
  virtual SnapshotPtr snapshot() const = 0;
  /// Called on the loop's thread after each change, with the new snapshot; at most one watcher a
  /// caller.
  virtual void watch(std::function<void(SnapshotPtr)> watcher) = 0;
  /// All or nothing, durable when it returns. Errors: conflict, too_many, store_*.
  virtual async::Task<Result<SnapshotPtr>> commit(std::vector<RegistryChange> changes) = 0;
  /// Notes the last use of keys, to the minute; losing it is harmless.
  virtual async::Task<Result<>> touch_keys(std::vector<std::pair<KeyId, Time>> uses) = 0;
};

}  // namespace grapnel::model
