#include "drivers/sqlite/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/schema.h"
#include "drivers/sqlite/scripts.h"
#include "model/action_json.h"
#include "model/errors.h"
#include "model/limits.h"
#include "model/source_json.h"
#include "model/stored_json.h"
#include "model/transform.h"

namespace grapnel::sqlite {
namespace {

using model::Action;
using model::ActionId;
using model::ActionPtr;
using model::Health;
using model::RegistrySnapshot;
using model::Source;
using model::SourceEntry;
using model::SourceId;

std::unexpected<Error> stale(std::string_view kind, std::string_view name, model::Revision expected,
                             model::Revision now) {
  return fail(model::errc::conflict,
              fmt::format("{} '{}' was changed meanwhile (revision {}, now {})", kind, name,
                          expected, now));
}

std::size_t size_of(const model::ScriptPtr& script) { return script ? script->body.size() : 0; }

/// Whether an attempt's request would be made in the same way from both.
bool same_but_for_health(const Action& before, const Action& after) {
  Action like = after;
  like.health = before.health;
  like.health_since = before.health_since;
  like.health_reason = before.health_reason;
  like.revision = before.revision;
  like.target_revision = before.target_revision;
  like.created = before.created;
  like.updated = before.updated;
  return model::to_stored(like) == model::to_stored(before);
}

/// The next snapshot while it is made: entries are copied when they are first changed.
class Draft {
 public:
  explicit Draft(Transaction& tx)
      : tx_(tx), base_(tx.registry_ptr()), next_(std::make_shared<RegistrySnapshot>(*base_)) {
    ++next_->revision;
  }

  Result<> change(const model::RegistryChange& change) {
    return std::visit([this](const auto& one) { return put(one); }, change);
  }
  Result<> drop_action(ActionId id);
  Result<> drop_source(SourceId id);
  /// Writes what has changed and publishes it.
  Result<> finish();

 private:
  Result<> put(const model::PutSource& change);
  Result<> put(const model::PutAction& change);
  Result<> put(const model::PutKey& change);
  Result<> put(const model::DeleteKey& change);

  Result<> check_source(const model::PutSource& change, const SourceEntry* existing) const;
  Result<> check_action(const model::PutAction& change, const Action* existing) const;
  void settle_health(Action& action, const Action* existing) const;
  void replace(SourceEntry& entry, ActionPtr action, const Action* existing);
  SourceEntry& own(SourceId id);
  /// The transform of a source is the registry's own to keep.
  void keep_transform(SourceEntry& entry);
  Result<> keep_scripts(const SourceEntry& entry);
  Result<> write_source(const Source& source);
  Result<> write_action(const Action& action);
  Result<> keep_history(std::int64_t key, const Action& action);

  Transaction& tx_;
  const model::SnapshotPtr base_;
  const std::shared_ptr<RegistrySnapshot> next_;
  std::unordered_map<SourceId, std::shared_ptr<SourceEntry>> owned_;
  std::vector<SourceId>
      touched_sources_;  // in order, so that rows are made in the order of the changes
  std::vector<ActionPtr> touched_actions_;
};

SourceEntry& Draft::own(SourceId id) {
  auto& entry = owned_[id];
  if (!entry) {
    const auto former = next_->find_source(id);
    entry = former ? std::make_shared<SourceEntry>(*former) : std::make_shared<SourceEntry>();
    next_->sources[id] = entry;
    touched_sources_.push_back(id);
  }
  return *entry;
}

Result<> Draft::check_source(const model::PutSource& change, const SourceEntry* existing) const {
  const Source& source = change.source;
  if (existing == nullptr) {
    if (change.expected != 0 || tx_.source_key(source.id) != 0) {
      return fail(model::errc::conflict,
                  fmt::format("source '{}' was deleted meanwhile", source.slug));
    }
    if (next_->sources.size() >= model::kSourcesMax) {
      return fail(model::errc::too_many,
                  fmt::format("there are {} sources already", model::kSourcesMax));
    }
  } else {
    const auto before = base_->find_source(source.id);
    const model::Revision now = before ? before->source.revision : next_->revision;
    if (change.expected != now) return stale("source", existing->source.slug, change.expected, now);
    if (existing->source.deleting && !source.deleting) {
      return fail(model::errc::conflict,
                  fmt::format("source '{}' is being deleted", existing->source.slug));
    }
  }
  if (!model::is_slug(source.slug)) {
    return fail(model::errc::malformed, "slug: expected a-z, 0-9 and '-', not at the ends");
  }
  const auto taken = next_->slugs.find(source.slug);
  if (!source.deleting && taken != next_->slugs.end() && taken->second != source.id) {
    return fail(model::errc::conflict,
                fmt::format("the slug '{}' is taken by another source", source.slug));
  }
  return {};
}

Result<> Draft::put(const model::PutSource& change) {
  const auto existing = next_->find_source(change.source.id);
  if (auto fine = check_source(change, existing.get()); !fine) return fine;
  SourceEntry& entry = own(change.source.id);
  if (existing && !existing->source.deleting) next_->slugs.erase(existing->source.slug);
  const Time created = existing ? existing->source.created : tx_.now();
  entry.source = change.source;
  entry.source.created = created;
  entry.source.updated = tx_.now();
  if (!entry.source.deleting) {
    next_->slugs[entry.source.slug] = entry.source.id;
    return {};
  }
  for (auto& action : entry.actions) {
    if (action->deleting) continue;
    auto deleting = std::make_shared<Action>(*action);
    deleting->deleting = true;
    deleting->revision = next_->revision;
    deleting->updated = tx_.now();
    action = deleting;
    touched_actions_.push_back(action);
  }
  return {};
}

Result<> Draft::check_action(const model::PutAction& change, const Action* existing) const {
  const Action& action = change.action;
  const auto entry = next_->find_source(action.source);
  if (!entry) return fail(model::errc::conflict, "the action's source was deleted meanwhile");
  if (existing == nullptr) {
    if (change.expected != 0 || tx_.action_key(action.id) != 0) {
      return fail(model::errc::conflict,
                  fmt::format("action '{}' was deleted meanwhile", action.name));
    }
    if (entry->source.deleting) {
      return fail(model::errc::conflict,
                  fmt::format("source '{}' is being deleted", entry->source.slug));
    }
    if (entry->actions.size() >= model::kActionsPerSourceMax) {
      return fail(model::errc::too_many,
                  fmt::format("source '{}' has {} actions already", entry->source.slug,
                              model::kActionsPerSourceMax));
    }
  } else {
    const auto before = base_->find_action(action.id);
    const model::Revision now = before ? before->revision : next_->revision;
    if (change.expected != now) return stale("action", existing->name, change.expected, now);
    if (existing->source != action.source) {
      return fail(model::errc::conflict,
                  fmt::format("action '{}' belongs to another source", existing->name));
    }
    if (existing->deleting && !action.deleting) {
      return fail(model::errc::conflict,
                  fmt::format("action '{}' is being deleted", existing->name));
    }
  }
  if (auto fine = model::check_target(action); !fine) return fine;
  if (action.secrets.size() > model::kSigningSecretsMax) {
    return fail(model::errc::too_many, fmt::format("action '{}' has more than {} signing secrets",
                                                   action.name, model::kSigningSecretsMax));
  }
  const bool taken =
      !action.deleting && std::ranges::any_of(entry->actions, [&](const ActionPtr& other) {
        return other->id != action.id && !other->deleting && !model::is_transform(*other) &&
               other->name == action.name;
      });
  if (taken) {
    return fail(model::errc::conflict, fmt::format("source '{}' has another action named '{}'",
                                                   entry->source.slug, action.name));
  }
  return {};
}

void Draft::settle_health(Action& action, const Action* existing) const {
  const bool new_target = existing == nullptr || existing->target_url != action.target_url;
  if (new_target) {
    action.health = Health::ok;
    action.health_reason.clear();
  }
  const bool afresh =
      new_target || (existing->health == Health::gone && action.health == Health::ok);
  const model::Revision before = existing == nullptr ? 0 : existing->target_revision;
  if (afresh && action.target_revision <= before) action.target_revision = next_->revision;
  action.target_revision = std::max(action.target_revision, before);
  if (existing != nullptr && existing->health == action.health) {
    action.health_since = existing->health_since;
  } else {
    action.health_since = tx_.now();
  }
}

void Draft::replace(SourceEntry& entry, ActionPtr action, const Action* existing) {
  if (existing == nullptr) {
    entry.actions.push_back(action);
    next_->action_sources[action->id] = entry.source.id;
  } else {
    const auto at =
        std::ranges::find(entry.actions, action->id, [](const ActionPtr& one) { return one->id; });
    *at = action;
  }
  touched_actions_.push_back(std::move(action));
}

Result<> Draft::put(const model::PutAction& change) {
  const ActionPtr existing = next_->find_action(change.action.id);
  if (auto fine = check_action(change, existing.get()); !fine) return fine;
  auto action = std::make_shared<Action>(change.action);
  settle_health(*action, existing.get());
  action->created = existing ? existing->created : tx_.now();
  const bool health_only = existing && same_but_for_health(*existing, *action);
  action->updated = health_only ? existing->updated : tx_.now();
  action->revision = next_->revision;
  SourceEntry& entry = own(action->source);
  replace(entry, std::move(action), existing.get());
  return {};
}

Result<> Draft::put(const model::PutKey& change) {
  const auto existing = next_->keys.find(change.key.id);
  const auto taken = next_->key_hashes.find(change.key.hash);
  if (taken != next_->key_hashes.end() && taken->second != change.key.id) {
    return fail(model::errc::conflict, "another API key has the same value");
  }
  model::ApiKey key = change.key;
  key.created = tx_.now();
  if (existing != next_->keys.end()) {
    next_->key_hashes.erase(existing->second.hash);
    key.created = existing->second.created;
    key.last_used = existing->second.last_used;
  } else if (next_->keys.size() >= model::kApiKeysMax) {
    return fail(model::errc::too_many,
                fmt::format("there are {} API keys already", model::kApiKeysMax));
  }
  const std::string stored = model::to_stored(key);
  auto query = tx_.db().query(
      "INSERT OR REPLACE INTO api_keys(id, hash, definition, last_used_ms) VALUES(?1, ?2, ?3, ?4)");
  if (auto done = query.bind(key.id, key.hash, stored, key.last_used).run(); !done) return done;
  next_->key_hashes[key.hash] = key.id;
  next_->keys[key.id] = std::move(key);
  return {};
}

Result<> Draft::put(const model::DeleteKey& change) {
  const auto existing = next_->keys.find(change.id);
  if (existing == next_->keys.end()) return fail(model::errc::not_found, "no such API key");
  auto query = tx_.db().query("DELETE FROM api_keys WHERE id = ?1");
  if (auto done = query.bind(change.id).run(); !done) return done;
  next_->key_hashes.erase(existing->second.hash);
  next_->keys.erase(existing);
  return {};
}

Result<> Draft::drop_action(ActionId id) {
  const ActionPtr existing = next_->find_action(id);
  if (!existing) return {};
  SourceEntry& entry = own(existing->source);
  std::erase_if(entry.actions, [&](const ActionPtr& one) { return one->id == id; });
  next_->action_sources.erase(id);
  auto query = tx_.db().query("UPDATE actions SET definition = NULL, revision = ?2 WHERE pk = ?1");
  if (auto done = query.bind(tx_.action_key(id), next_->revision).run(); !done) return done;
  return remove_scripts(tx_, id.bytes);
}

Result<> Draft::drop_source(SourceId id) {
  const auto existing = next_->find_source(id);
  if (!existing || !existing->actions.empty()) return {};
  next_->sources.erase(id);
  if (!existing->source.deleting) next_->slugs.erase(existing->source.slug);
  auto query = tx_.db().query("UPDATE sources SET definition = NULL, revision = ?2 WHERE pk = ?1");
  if (auto done = query.bind(tx_.source_key(id), next_->revision).run(); !done) return done;
  return remove_scripts(tx_, id.bytes);
}

Result<> Draft::write_source(const Source& source) {
  const std::string stored = model::to_stored(source);
  if (const std::int64_t key = tx_.source_key(source.id); key != 0) {
    auto query = tx_.db().query(
        "UPDATE sources SET slug = ?2, deleting = ?3, revision = ?4, definition = ?5 WHERE pk = "
        "?1");
    return query.bind(key, source.slug, int{source.deleting}, source.revision, stored).run();
  }
  auto query = tx_.db().query(
      "INSERT INTO sources(id, slug, deleting, revision, definition) VALUES(?1, ?2, ?3, ?4, ?5)");
  if (auto done =
          query.bind(source.id, source.slug, int{source.deleting}, source.revision, stored).run();
      !done) {
    return done;
  }
  const auto key = tx_.db().scalar("SELECT last_insert_rowid()");
  if (!key) return fail(key.error());
  tx_.add_source_key(source.id, *key);
  return {};
}

Result<> Draft::write_action(const Action& action) {
  const std::string stored = model::to_stored(action);
  std::int64_t key = tx_.action_key(action.id);
  const ActionPtr before = base_->find_action(action.id);
  if (key != 0) {
    auto query = tx_.db().query(
        "UPDATE actions SET deleting = ?2, revision = ?3, definition = ?4 WHERE pk = ?1");
    if (auto done = query.bind(key, int{action.deleting}, action.revision, stored).run(); !done)
      return done;
  } else {
    auto query = tx_.db().query(
        "INSERT INTO actions(id, source, deleting, revision, definition) VALUES(?1, ?2, ?3, ?4, "
        "?5)");
    auto done = query
                    .bind(action.id, tx_.source_key(action.source), int{action.deleting},
                          action.revision, stored)
                    .run();
    if (!done) return done;
    const auto made = tx_.db().scalar("SELECT last_insert_rowid()");
    if (!made) return fail(made.error());
    key = *made;
    tx_.add_action_key(action.id, key);
  }
  if (before && same_but_for_health(*before, action)) return {};
  return keep_history(key, action);
}

Result<> Draft::keep_history(std::int64_t key, const Action& action) {
  Action shown = action;
  shown.secrets.clear();
  shown.script = nullptr;  // its versions are kept by themselves
  const std::string stored = model::to_stored(shown);
  auto insert = tx_.db().query(
      "INSERT OR REPLACE INTO action_revisions(action, revision, definition) VALUES(?1, ?2, ?3)");
  if (auto done = insert.bind(key, action.revision, stored).run(); !done) return done;
  auto cut = tx_.db().query(
      "DELETE FROM action_revisions WHERE action = ?1 AND revision <= (SELECT revision FROM "
      "action_revisions "
      "WHERE action = ?1 ORDER BY revision DESC LIMIT 1 OFFSET ?2)");
  return cut.bind(key, kActionRevisionsKept).run();
}

void Draft::keep_transform(SourceEntry& entry) {
  auto wanted = model::wanted_transform(entry);
  if (!wanted) return;
  const ActionPtr existing = next_->find_action(wanted->id);
  wanted->created = existing ? existing->created : tx_.now();
  wanted->updated = tx_.now();
  wanted->revision = next_->revision;
  settle_health(*wanted, existing.get());
  replace(entry, std::make_shared<const Action>(std::move(*wanted)), existing.get());
}

Result<> Draft::keep_scripts(const SourceEntry& entry) {
  const auto before = base_->find_source(entry.source.id);
  const auto& script = entry.source.script;
  if (script && (!before || before->source.script != script)) {
    if (auto done = keep_script(tx_, entry.source.id.bytes, *script); !done) return done;
  }
  for (const auto& action : entry.actions) {
    const auto former = base_->find_action(action->id);
    if (!action->script || (former && former->script == action->script)) continue;
    if (auto done = keep_script(tx_, action->id.bytes, *action->script); !done) return done;
  }
  return {};
}

Result<> Draft::finish() {
  for (const SourceId id : touched_sources_) {
    if (next_->sources.contains(id)) keep_transform(*owned_[id]);
  }
  for (const SourceId id : touched_sources_) {
    const auto entry = next_->sources.find(id);
    if (entry == next_->sources.end()) continue;  // dropped
    Source& source = owned_[id]->source;
    source.revision = next_->revision;
    auto done = write_source(source);
    if (done) done = keep_scripts(*owned_[id]);
    if (!done) return done;
  }
  for (const ActionPtr& action : touched_actions_) {
    if (next_->find_action(action->id) != action) continue;  // changed again later
    if (auto done = write_action(*action); !done) return done;
  }
  if (auto done = write_meta(tx_.db(), "revision", next_->revision); !done) return done;
  tx_.publish(next_);
  return {};
}

}  // namespace

Result<> apply_changes(Transaction& tx, const std::vector<model::RegistryChange>& changes) {
  Draft draft(tx);
  for (const auto& change : changes) {
    if (auto done = draft.change(change); !done) return done;
  }
  return draft.finish();
}

Result<> remove_definitions(Transaction& tx, const std::vector<ActionId>& actions,
                            const std::vector<SourceId>& sources) {
  Draft draft(tx);
  for (const ActionId id : actions) {
    if (auto done = draft.drop_action(id); !done) return done;
  }
  for (const SourceId id : sources) {
    if (auto done = draft.drop_source(id); !done) return done;
  }
  return draft.finish();
}

Registry::Registry(Writer& writer) : writer_(writer) {
  writer_.watch_registry([this](const model::SnapshotPtr& snapshot) {
    for (const auto& watcher : watchers_) watcher(snapshot);
  });
}

void Registry::watch(std::function<void(model::SnapshotPtr)> watcher) {
  watchers_.push_back(std::move(watcher));
}

async::Task<Result<model::SnapshotPtr>> Registry::commit(
    std::vector<model::RegistryChange> changes) {
  std::size_t bytes = 0;
  for (const auto& change : changes) {
    bytes += kCommandBytes;
    if (const auto* put = std::get_if<model::PutAction>(&change)) {
      bytes += put->action.ca_bundle.size() + size_of(put->action.script);
    } else if (const auto* source = std::get_if<model::PutSource>(&change)) {
      bytes += size_of(source->source.script);
    }
  }
  co_return co_await writer_.write(bytes,
                                   [&changes](Transaction& tx) -> Result<model::SnapshotPtr> {
                                     if (auto done = apply_changes(tx, changes); !done)
                                       return fail(done.error());
                                     return tx.registry_ptr();
                                   });
}

async::Task<Result<>> Registry::touch_keys(std::vector<std::pair<model::KeyId, Time>> uses) {
  if (uses.empty()) co_return Result<>{};
  co_return co_await writer_.write(0, [&uses](Transaction& tx) -> Result<> {
    const auto next = std::make_shared<RegistrySnapshot>(tx.registry());
    for (const auto& [id, time] : uses) {
      const auto key = next->keys.find(id);
      if (key == next->keys.end()) continue;
      const Time minute = std::chrono::floor<std::chrono::minutes>(time);
      if (key->second.last_used && *key->second.last_used >= minute) continue;
      auto query = tx.db().query("UPDATE api_keys SET last_used_ms = ?2 WHERE id = ?1");
      if (auto done = query.bind(id, minute).run(); !done) return done;
      key->second.last_used = minute;
    }
    tx.publish(next);
    return {};
  });
}

}  // namespace grapnel::sqlite
