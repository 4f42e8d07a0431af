// Registry: definitions, their revisions, the health of actions.
#include <algorithm>
#include <variant>

#include "doubles/memory_tables.h"
#include "model/errors.h"
#include "model/transform.h"

namespace grapnel::doubles {

using namespace model;
using model::errc;

namespace {

std::shared_ptr<SourceEntry> copy_entry(const RegistrySnapshot& snapshot, SourceId id) {
  return std::make_shared<SourceEntry>(*snapshot.find_source(id));
}

/// Puts the action in its place of `entry`, or at the end.
void set_action(SourceEntry& entry, Action action) {
  const auto at =
      std::ranges::find(entry.actions, action.id, [](const ActionPtr& known) { return known->id; });
  auto fresh = std::make_shared<const Action>(std::move(action));
  if (at == entry.actions.end()) {
    entry.actions.push_back(std::move(fresh));
  } else {
    *at = std::move(fresh);
  }
}

/// A new target or an `enable` starts the action afresh: health ok and a target revision of its
/// own.
void settle_health(Action& action, const Action* known, Revision revision, Time now) {
  const bool new_target = !known || known->target_url != action.target_url;
  if (new_target) {
    action.health = Health::ok;
    action.health_reason.clear();
  }
  const bool enabled = known && known->health == Health::gone && action.health == Health::ok;
  const Revision before = known ? known->target_revision : 0;
  if ((new_target || enabled) && action.target_revision <= before)
    action.target_revision = revision;
  action.target_revision = std::max(action.target_revision, before);
  action.health_since = known && known->health == action.health ? known->health_since : now;
}

/// Whether the report changes what is known. Gone is ended by a new target or a person alone.
bool is_news(const Action& action, const HealthReport& report) {
  switch (report.health) {
    case Health::ok: return action.health == Health::failing;
    case Health::failing: return action.health == Health::ok;
    case Health::resting: return action.health == Health::ok || action.health == Health::failing;
    case Health::gone:
      return action.health != Health::gone && report.target_revision == action.target_revision;
  }
  return false;
}

/// Fills what follows from `sources` and `keys`.
void index(RegistrySnapshot& snapshot) {
  snapshot.slugs.clear();
  snapshot.action_sources.clear();
  snapshot.key_hashes.clear();
  for (const auto& [id, entry] : snapshot.sources) {
    if (!entry->source.deleting) snapshot.slugs.emplace(entry->source.slug, id);
    for (const auto& action : entry->actions) snapshot.action_sources.emplace(action->id, id);
  }
  for (const auto& [id, key] : snapshot.keys) snapshot.key_hashes.emplace(key.hash, id);
}

}  // namespace

Result<SnapshotPtr> MemoryTables::change(const std::vector<RegistryChange>& changes) {
  auto next = std::make_shared<RegistrySnapshot>(*snapshot_);
  ++next->revision;
  for (const RegistryChange& change : changes) {
    Result<> done;
    const auto* source = std::get_if<PutSource>(&change);
    const auto* action = std::get_if<PutAction>(&change);
    if (source) done = put_source(*next, *source);
    if (action) done = put_action(*next, *action);
    if (const auto* key = std::get_if<PutKey>(&change)) done = put_key(*next, *key);
    if (const auto* gone = std::get_if<DeleteKey>(&change)) done = delete_key(*next, *gone);
    if (!done) return fail(done.error());
    index(*next);
    if (source) keep_transform(*next, source->source.id);
    if (action) keep_transform(*next, action->action.source);
    index(*next);
  }
  publish(next);
  for (const RegistryChange& change : changes) {
    const auto* put = std::get_if<PutAction>(&change);
    if (!put) continue;
    const ActionPtr action = snapshot_->find_action(put->action.id);
    history_.insert_or_assign({action->id, action->revision}, *action);
    free_lanes(action->id);  // on_dead may have changed
    free_lanes(transform_of(action->source));
    hint_action(action->id);
  }
  return snapshot_;
}

void MemoryTables::keep_transform(RegistrySnapshot& next, SourceId id) {
  const SourcePtr known = next.find_source(id);
  keep_script(id.bytes, known->source.script);
  for (const auto& action : known->actions) keep_script(action->id.bytes, action->script);
  auto wanted = wanted_transform(*known);
  if (!wanted) return;
  const ActionPtr before = next.find_action(wanted->id);
  wanted->created = before ? before->created : now_;
  wanted->updated = now_;
  wanted->revision = next.revision;
  settle_health(*wanted, before.get(), next.revision, now_);
  auto entry = copy_entry(next, id);
  set_action(*entry, std::move(*wanted));
  next.sources[id] = std::move(entry);
}

void MemoryTables::keep_script(const IdBytes& owner, const ScriptPtr& script) {
  if (!script) return;
  auto& versions = scripts_[owner];
  versions.try_emplace(
      script->version,
      ScriptVersion{.version = script->version, .created = now_, .body = script->body});
  while (versions.size() > kScriptVersionsMax) versions.erase(versions.begin());
}

std::vector<ScriptVersion> MemoryTables::scripts(const IdBytes& owner) const {
  std::vector<ScriptVersion> out;
  const auto at = scripts_.find(owner);
  if (at == scripts_.end()) return out;
  for (const auto& [version, script] : at->second) out.insert(out.begin(), script);
  return out;
}

void MemoryTables::publish(std::shared_ptr<RegistrySnapshot> next) {
  index(*next);
  snapshot_ = std::move(next);
  effects_.definitions = true;
}

Result<> MemoryTables::put_source(RegistrySnapshot& next, const PutSource& put) {
  const SourcePtr before = snapshot_->find_source(put.source.id);
  const SourcePtr known = next.find_source(put.source.id);
  if (put.expected == 0) {
    if (known) return fail(errc::conflict, "the source exists already");
    if (next.sources.size() >= kSourcesMax) return fail(errc::too_many, "too many sources");
  } else if (!before || before->source.revision != put.expected || before->source.deleting) {
    return fail(errc::conflict, "the source was changed by somebody else");
  }
  const SourcePtr namesake = next.find_source(put.source.slug);
  if (!put.source.deleting && namesake && namesake->source.id != put.source.id) {
    return fail(errc::conflict, "another source has the slug " + put.source.slug);
  }
  auto entry = std::make_shared<SourceEntry>();
  if (known) *entry = *known;
  const Time created = known ? known->source.created : now_;
  entry->source = put.source;
  entry->source.created = created;
  entry->source.updated = now_;
  entry->source.revision = next.revision;
  next.sources[put.source.id] = std::move(entry);
  return {};
}

Result<> MemoryTables::put_action(RegistrySnapshot& next, const PutAction& put) {
  const SourcePtr source = next.find_source(put.action.source);
  if (!source || source->source.deleting) return fail(errc::conflict, "the source does not exist");
  const ActionPtr before = snapshot_->find_action(put.action.id);
  const ActionPtr known = next.find_action(put.action.id);
  if (put.expected == 0) {
    if (known) return fail(errc::conflict, "the action exists already");
    if (source->actions.size() >= kActionsPerSourceMax) {
      return fail(errc::too_many, "too many actions");
    }
  } else if (!before || before->revision != put.expected || before->deleting ||
             before->source != put.action.source) {
    return fail(errc::conflict, "the action was changed by somebody else");
  }
  const bool taken = std::ranges::any_of(source->actions, [&](const ActionPtr& other) {
    return other->id != put.action.id && !other->deleting && !is_transform(*other) &&
           other->name == put.action.name;
  });
  if (taken && !put.action.deleting) {
    return fail(errc::conflict, "another action of the source has the name " + put.action.name);
  }
  auto entry = copy_entry(next, put.action.source);
  Action action = put.action;
  action.created = known ? known->created : now_;
  action.updated = now_;
  action.revision = next.revision;
  settle_health(action, known.get(), next.revision, now_);
  entry->source.revision = next.revision;
  set_action(*entry, std::move(action));
  next.sources[put.action.source] = std::move(entry);
  return {};
}

Result<> MemoryTables::put_key(RegistrySnapshot& next, const PutKey& put) {
  const auto known = next.keys.find(put.key.id);
  const auto namesake = next.key_hashes.find(put.key.hash);
  if (namesake != next.key_hashes.end() && namesake->second != put.key.id) {
    return fail(errc::conflict, "the key exists already");
  }
  if (known == next.keys.end() && next.keys.size() >= kApiKeysMax) {
    return fail(errc::too_many, "too many API keys");
  }
  ApiKey key = put.key;
  key.created = known == next.keys.end() ? now_ : known->second.created;
  next.keys.insert_or_assign(key.id, std::move(key));
  return {};
}

Result<> MemoryTables::delete_key(RegistrySnapshot& next, const DeleteKey& gone) {
  if (next.keys.erase(gone.id) == 0) return fail(errc::conflict, "the key does not exist");
  return {};
}

void MemoryTables::touch_keys(const std::vector<std::pair<KeyId, Time>>& uses) {
  auto next = std::make_shared<RegistrySnapshot>(*snapshot_);
  for (const auto& [id, used] : uses) {
    const auto key = next->keys.find(id);
    if (key == next->keys.end()) continue;
    const Time minute = std::chrono::floor<std::chrono::minutes>(used);
    key->second.last_used = std::max(key->second.last_used.value_or(minute), minute);
  }
  snapshot_ = std::move(next);  // no revision and no watcher: nobody decides anything by it
}

void MemoryTables::report_health(ActionId id, const HealthReport& report) {
  const ActionPtr known = snapshot_->find_action(id);
  const bool believed = flaw_ == Flaw::old_gone_counts && report.health == Health::gone;
  if (!known || known->deleting || (!believed && !is_news(*known, report))) return;
  auto next = std::make_shared<RegistrySnapshot>(*snapshot_);
  ++next->revision;
  auto entry = copy_entry(*next, known->source);
  Action action = *known;
  action.health = report.health;
  action.health_since = now_;
  action.health_reason = report.reason;
  // Like any change, so that plans made before are stale and a stale copy overwrites no health.
  action.revision = next->revision;
  entry->source.revision = next->revision;
  set_action(*entry, std::move(action));
  next->sources[known->source] = std::move(entry);
  publish(std::move(next));
}

void MemoryTables::remove_deleted_definitions() {
  const auto is_idle = [this](ActionId id) { return open_work(id).count() == 0; };
  auto next = std::make_shared<RegistrySnapshot>(*snapshot_);
  bool changed = false;
  ++next->revision;
  for (const auto& [id, entry] : snapshot_->sources) {
    auto left = std::make_shared<SourceEntry>(*entry);
    std::erase_if(left->actions, [&](const ActionPtr& action) {
      return (action->deleting || entry->source.deleting) && is_idle(action->id);
    });
    const bool fewer = left->actions.size() != entry->actions.size();
    if (entry->source.deleting && left->actions.empty()) {
      next->sources.erase(id);
      changed = true;
    } else if (fewer) {
      left->source.revision = next->revision;
      next->sources[id] = std::move(left);
      changed = true;
    }
  }
  if (changed) publish(std::move(next));
}

}  // namespace grapnel::doubles
