#include "drivers/sqlite/registry_rows.h"

#include <fmt/format.h>

#include <memory>
#include <unordered_map>
#include <utility>

#include "drivers/sqlite/schema.h"
#include "model/errors.h"
#include "model/stored_json.h"

namespace grapnel::sqlite {
namespace {

using model::Action;
using model::RegistrySnapshot;
using model::SourceEntry;
using model::SourceId;

Result<> load_sources(Connection& db, RegistrySnapshot& out,
                      std::unordered_map<SourceId, std::shared_ptr<SourceEntry>>& entries) {
  auto rows = db.query("SELECT definition FROM sources WHERE definition IS NOT NULL ORDER BY pk");
  for (;;) {
    const auto row = rows.next();
    if (!row) return fail(row.error());
    if (!*row) return {};
    auto source = model::source_from_stored(rows.text(0));
    if (!source) return fail(source.error());
    auto entry = std::make_shared<SourceEntry>();
    entry->source = std::move(*source);
    if (!entry->source.deleting) out.slugs[entry->source.slug] = entry->source.id;
    entries[entry->source.id] = entry;
    out.sources[entry->source.id] = std::move(entry);
  }
}

Result<> load_actions(Connection& db, RegistrySnapshot& out,
                      const std::unordered_map<SourceId, std::shared_ptr<SourceEntry>>& entries) {
  auto rows = db.query("SELECT definition FROM actions WHERE definition IS NOT NULL ORDER BY pk");
  for (;;) {
    const auto row = rows.next();
    if (!row) return fail(row.error());
    if (!*row) return {};
    auto action = model::action_from_stored(rows.text(0));
    if (!action) return fail(action.error());
    const auto entry = entries.find(action->source);
    if (entry == entries.end()) {
      return fail(model::errc::malformed,
                  fmt::format("stored action '{}' has no source", action->name));
    }
    out.action_sources[action->id] = action->source;
    entry->second->actions.push_back(std::make_shared<const Action>(std::move(*action)));
  }
}

Result<> load_keys(Connection& db, RegistrySnapshot& out) {
  auto rows = db.query("SELECT definition, last_used_ms FROM api_keys");
  for (;;) {
    const auto row = rows.next();
    if (!row) return fail(row.error());
    if (!*row) return {};
    auto key = model::api_key_from_stored(rows.text(0));
    if (!key) return fail(key.error());
    key->last_used = rows.maybe_time(1);
    out.key_hashes[key->hash] = key->id;
    out.keys[key->id] = std::move(*key);
  }
}

}  // namespace

Result<model::SnapshotPtr> load_registry(Connection& db) {
  auto snapshot = std::make_shared<RegistrySnapshot>();
  const auto revision = read_meta(db, "revision");
  if (!revision) return fail(revision.error());
  snapshot->revision = *revision;
  std::unordered_map<SourceId, std::shared_ptr<SourceEntry>> entries;
  if (auto done = load_sources(db, *snapshot, entries); !done) return fail(done.error());
  if (auto done = load_actions(db, *snapshot, entries); !done) return fail(done.error());
  if (auto done = load_keys(db, *snapshot); !done) return fail(done.error());
  return snapshot;
}

}  // namespace grapnel::sqlite
