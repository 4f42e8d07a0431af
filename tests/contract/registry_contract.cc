// Registry: definitions change by compare and swap, all or nothing, and everybody hears of it.
#include <gmock/gmock.h>

#include "contract/store_contract.h"

namespace grapnel::contract {
namespace {

using namespace model;
using model::errc;
using std::chrono::seconds;

Source named_source(SourceId id, const std::string& slug) {
  Source source;
  source.id = id;
  source.slug = slug;
  return source;
}

Action named_action(ActionId id, SourceId source, const std::string& name) {
  Action action;
  action.id = id;
  action.source = source;
  action.name = name;
  action.target_url = "https://receiver.test/";
  action.target_revision = 1;
  return action;
}

ApiKey named_key(KeyId id, const std::string& hash) {
  ApiKey key;
  key.id = id;
  key.name = "key";
  key.hash = hash;
  return key;
}

TEST_P(RegistryContract, NewStoreHasNoDefinitions) {
  const SnapshotPtr snapshot = registry().snapshot();
  ASSERT_TRUE(snapshot);
  EXPECT_TRUE(snapshot->sources.empty());
  EXPECT_TRUE(snapshot->keys.empty());
  EXPECT_EQ(snapshot->find_source("demo"), nullptr);
  EXPECT_EQ(snapshot->find_action(make_id<ActionId>()), nullptr);
}

TEST_P(RegistryContract, DefinitionsSurviveARestartWhole) {
  Source source = named_source(make_id<SourceId>(), "demo");
  source.name = "Demo \xc3\xbc";
  source.idempotency = std::vector<Place>{{Place::Kind::pointer, "/id"}};
  source.ordering_key = Place{Place::Kind::header, "X-Key"};
  source.require_json = true;
  source.rate_limit = {.per_second = 2.5, .burst = 7};
  source.secret_headers = {"X-Token"};
  Action action = named_action(make_id<ActionId>(), source.id, "one");
  action.event_types = {"a.*", "b"};
  action.headers = {{"A", "1"}, {"A", "2"}};
  action.max_in_flight = 3;
  action.retry = RetryPolicy{.schedule = {seconds{1}, seconds{9}}, .policy = RetryOn::transient};
  action.on_dead = OnDead::block;
  action.on_full = OnFull::refuse;
  action.secrets = {{.sealed = "sealed-text", .created = now()}};
  must(registry().commit({PutSource{source}, PutAction{action}}));
  reopen();
  const SourcePtr entry = registry().snapshot()->find_source("demo");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->source.id, source.id);
  EXPECT_EQ(entry->source.name, source.name);
  EXPECT_EQ(entry->source.idempotency, source.idempotency);
  EXPECT_EQ(entry->source.ordering_key, source.ordering_key);
  EXPECT_EQ(entry->source.event_type, std::nullopt);
  EXPECT_TRUE(entry->source.require_json);
  EXPECT_EQ(entry->source.rate_limit, source.rate_limit);
  EXPECT_EQ(entry->source.secret_headers, source.secret_headers);
  ASSERT_EQ(entry->actions.size(), 1U);
  const Action& got = *entry->actions[0];
  EXPECT_EQ(got.id, action.id);
  EXPECT_EQ(got.event_types, action.event_types);
  EXPECT_EQ(got.headers, action.headers);
  EXPECT_EQ(got.max_in_flight, 3);
  EXPECT_EQ(got.retry, action.retry);
  EXPECT_EQ(got.on_dead, OnDead::block);
  EXPECT_EQ(got.on_full, OnFull::refuse);
  EXPECT_EQ(got.secrets, action.secrets);
  EXPECT_EQ(got.target_revision, 1);
}

TEST_P(RegistryContract, CreatedStaysAndUpdatedAndRevisionGrow) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const Time created = now();
  const Action before = *action(id);
  EXPECT_GT(before.revision, 0);
  EXPECT_EQ(before.created, created);
  pass(seconds{5});
  change_action(id, [](Action& a) { a.max_in_flight = 2; });
  EXPECT_EQ(action(id)->created, created);
  EXPECT_EQ(action(id)->updated, now());
  EXPECT_GT(action(id)->revision, before.revision);
}

TEST_P(RegistryContract, ActionRaisesItsSourcesRevisionAndNoOther) {
  const SourceId source = add_source("demo");
  const SourceId other = add_source("other");
  const auto revision_of = [&](SourceId id) {
    return registry().snapshot()->find_source(id)->source.revision;
  };
  const Revision before = revision_of(source);
  const Revision other_before = revision_of(other);
  const ActionId id = add_action(source, "one");
  EXPECT_GT(revision_of(source), before);
  const Revision with_action = revision_of(source);
  change_action(id, [](Action& a) { a.max_in_flight = 2; });
  EXPECT_GT(revision_of(source), with_action);
  EXPECT_EQ(revision_of(other), other_before);
  reopen();
  EXPECT_GT(revision_of(source), with_action);
}

TEST_P(RegistryContract, SnapshotRevisionGrowsWithEachChangeOverRestarts) {
  Revision last = registry().snapshot()->revision;
  for (int i = 0; i < 4; ++i) {
    const SourceId id = make_id<SourceId>();
    const SnapshotPtr fresh =
        must(registry().commit({PutSource{named_source(id, "demo-" + std::to_string(i))}}));
    EXPECT_GT(fresh->revision, last);
    EXPECT_NE(fresh->find_source(id), nullptr);
    last = fresh->revision;
    if (i == 1) reopen();
    EXPECT_GE(registry().snapshot()->revision, last);
  }
}

TEST_P(RegistryContract, OldSnapshotStaysAsItWas) {
  const SourceId source = add_source("demo");
  const SnapshotPtr old = registry().snapshot();
  change_source(source, [](Source& s) { s.name = "changed"; });
  add_action(source, "one");
  EXPECT_EQ(old->find_source(source)->source.name, "demo");
  EXPECT_TRUE(old->find_source(source)->actions.empty());
  EXPECT_EQ(registry().snapshot()->find_source(source)->source.name, "changed");
}

// --- compare and swap

TEST_P(RegistryContract, ChangeOfAnOlderRevisionIsAConflict) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const Source old_source = registry().snapshot()->find_source(source)->source;
  const Action old_action = *action(id);
  change_source(source, [](Source& s) { s.name = "newer"; });
  change_action(id, [](Action& a) { a.max_in_flight = 2; });
  EXPECT_EQ(error_of(registry().commit({PutSource{old_source, old_source.revision}})),
            errc::conflict);
  EXPECT_EQ(error_of(registry().commit({PutAction{old_action, old_action.revision}})),
            errc::conflict);
  EXPECT_EQ(registry().snapshot()->find_source(source)->source.name, "newer");
  EXPECT_EQ(action(id)->max_in_flight, 2);
}

TEST_P(RegistryContract, CreatingWhatExistsOrChangingWhatDoesNotIsAConflict) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const auto commit_error = [&](RegistryChange change) {
    return error_of(registry().commit({std::move(change)}));
  };
  EXPECT_EQ(commit_error(PutSource{named_source(source, "fresh")}), errc::conflict);
  EXPECT_EQ(commit_error(PutAction{named_action(id, source, "fresh")}), errc::conflict);
  EXPECT_EQ(commit_error(PutSource{named_source(make_id<SourceId>(), "x"), 7}), errc::conflict);
  EXPECT_EQ(commit_error(PutAction{named_action(make_id<ActionId>(), source, "x"), 7}),
            errc::conflict);
}

TEST_P(RegistryContract, StaleHealthInAChangeDoesNotEndGone) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const Action read_before = *action(id);
  make_gone(source, id);
  Action fresh = read_before;
  fresh.max_in_flight = 2;
  static_cast<void>(run(registry().commit({PutAction{fresh, read_before.revision}})));
  EXPECT_EQ(action(id)->health, Health::gone);
}

TEST_P(RegistryContract, SlugIsUniqueAmongSourcesThatAreNotDeleting) {
  const SourceId first = add_source("demo");
  const SourceId second = make_id<SourceId>();
  EXPECT_EQ(error_of(registry().commit({PutSource{named_source(second, "demo")}})), errc::conflict);
  change_source(first, [](Source& s) { s.deleting = true; });
  must(registry().commit({PutSource{named_source(second, "demo")}}));
  EXPECT_EQ(registry().snapshot()->find_source("demo")->source.id, second);
  reopen();
  EXPECT_EQ(registry().snapshot()->find_source("demo")->source.id, second);
}

TEST_P(RegistryContract, ActionNameIsUniqueInItsSource) {
  const SourceId source = add_source("demo");
  const SourceId other = add_source("other");
  const ActionId first = add_action(source, "one");
  EXPECT_EQ(
      error_of(registry().commit({PutAction{named_action(make_id<ActionId>(), source, "one")}})),
      errc::conflict);
  add_action(other, "one");
  change_action(first, [](Action& a) { a.deleting = true; });
  add_action(source, "one");
}

TEST_P(RegistryContract, RenameFreesTheOldNameAndTakesTheNew) {
  const SourceId source = add_source("demo");
  add_source("taken");
  EXPECT_THROW(change_source(source, [](Source& s) { s.slug = "taken"; }), std::runtime_error);
  change_source(source, [](Source& s) { s.slug = "renamed"; });
  EXPECT_EQ(registry().snapshot()->find_source("demo"), nullptr);
  EXPECT_EQ(registry().snapshot()->find_source("renamed")->source.id, source);
  add_source("demo");
}

TEST_P(RegistryContract, OneBadChangeUndoesAllOfItsCommit) {
  const SourceId source = add_source("demo");
  const SnapshotPtr before = registry().snapshot();
  EXPECT_EQ(error_of(registry().commit({PutAction{named_action(make_id<ActionId>(), source, "a")},
                                        PutKey{named_key(make_id<KeyId>(), "h")},
                                        PutSource{named_source(make_id<SourceId>(), "demo")}})),
            errc::conflict);
  EXPECT_EQ(registry().snapshot()->revision, before->revision);
  EXPECT_TRUE(registry().snapshot()->find_source(source)->actions.empty());
  EXPECT_TRUE(registry().snapshot()->keys.empty());
  reopen();
  EXPECT_TRUE(registry().snapshot()->find_source(source)->actions.empty());
  EXPECT_TRUE(registry().snapshot()->keys.empty());
}

TEST_P(RegistryContract, SourceAndItsActionsCanBeMadeTogether) {
  const SourceId source = make_id<SourceId>();
  const ActionId one = make_id<ActionId>();
  const ActionId two = make_id<ActionId>();
  const SnapshotPtr made = must(registry().commit({PutSource{named_source(source, "demo")},
                                                   PutAction{named_action(one, source, "one")},
                                                   PutAction{named_action(two, source, "two")}}));
  const SourcePtr entry = made->find_source(source);
  ASSERT_TRUE(entry);
  ASSERT_EQ(entry->actions.size(), 2U);
  EXPECT_EQ(entry->actions[0]->id, one) << "in order of creation";
  EXPECT_EQ(entry->actions[1]->id, two);
  EXPECT_EQ(made->find_action(two)->source, source);
}

TEST_P(RegistryContract, ActionNeedsASourceThatIsNotDeleting) {
  EXPECT_FALSE(run(registry().commit(
      {PutAction{named_action(make_id<ActionId>(), make_id<SourceId>(), "one")}})));
  const SourceId source = add_source("demo");
  change_source(source, [](Source& s) { s.deleting = true; });
  EXPECT_FALSE(
      run(registry().commit({PutAction{named_action(make_id<ActionId>(), source, "one")}})));
}

TEST_P(RegistryContract, DeletingSourceIsFoundByIdAloneAndMatchesNothing) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  change_source(source, [](Source& s) { s.deleting = true; });
  EXPECT_EQ(registry().snapshot()->find_source("demo"), nullptr);
  ASSERT_TRUE(registry().snapshot()->find_source(source));
  EXPECT_TRUE(registry().snapshot()->find_source(source)->source.deleting);
  EXPECT_TRUE(action(id));
}

// --- watchers and keys

TEST_P(RegistryContract, EveryWatcherHearsEachChangeWithItsSnapshot) {
  std::vector<SnapshotPtr> first;
  std::vector<SnapshotPtr> second;
  registry().watch([&](SnapshotPtr snapshot) { first.push_back(std::move(snapshot)); });
  registry().watch([&](SnapshotPtr snapshot) { second.push_back(std::move(snapshot)); });
  const SourceId source = add_source("demo");
  add_action(source, "one");
  run_ready();
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(second.size(), 2U);
  EXPECT_TRUE(first[0]->find_source(source)->actions.empty());
  EXPECT_EQ(first[1]->find_source(source)->actions.size(), 1U);
  EXPECT_EQ(error_of(registry().commit({PutSource{named_source(make_id<SourceId>(), "demo")}})),
            errc::conflict);
  run_ready();
  EXPECT_EQ(first.size(), 2U) << "nothing changed";
}

TEST_P(RegistryContract, KeysAreRowsWithScopeSourcesAndExpiry) {
  const SourceId source = add_source("demo");
  ApiKey key = named_key(make_id<KeyId>(), "0123abcd");
  key.scope = KeyScope::write;
  key.sources = {source};
  key.expires = now() + std::chrono::hours{1};
  must(registry().commit({PutKey{key}}));
  reopen();
  const SnapshotPtr snapshot = registry().snapshot();
  ASSERT_TRUE(snapshot->key_hashes.contains("0123abcd"));
  EXPECT_EQ(snapshot->key_hashes.at("0123abcd"), key.id);
  const ApiKey& got = snapshot->keys.at(key.id);
  EXPECT_EQ(got.name, "key");
  EXPECT_EQ(got.scope, KeyScope::write);
  EXPECT_EQ(got.sources, key.sources);
  EXPECT_EQ(got.expires, key.expires);
  EXPECT_EQ(got.created, now());
  EXPECT_EQ(got.last_used, std::nullopt);
}

TEST_P(RegistryContract, SameHashTwiceIsAConflict) {
  must(registry().commit({PutKey{named_key(make_id<KeyId>(), "aa")}}));
  EXPECT_EQ(error_of(registry().commit({PutKey{named_key(make_id<KeyId>(), "aa")}})),
            errc::conflict);
}

TEST_P(RegistryContract, DeletedKeyIsGoneAtOnceAndForGood) {
  const ApiKey key = named_key(make_id<KeyId>(), "aa");
  must(registry().commit({PutKey{key}}));
  const SnapshotPtr after = must(registry().commit({DeleteKey{key.id}}));
  EXPECT_FALSE(after->key_hashes.contains("aa"));
  EXPECT_TRUE(after->keys.empty());
  reopen();
  EXPECT_TRUE(registry().snapshot()->keys.empty());
  must(registry().commit({PutKey{named_key(make_id<KeyId>(), "aa")}}));
}

TEST_P(RegistryContract, UseOfAKeyIsNotedToTheMinute) {
  const ApiKey key = named_key(make_id<KeyId>(), "aa");
  must(registry().commit({PutKey{key}}));
  pass(seconds{90});
  must(registry().touch_keys({{key.id, now()}, {make_id<KeyId>(), now()}}));
  reopen();
  EXPECT_EQ(registry().snapshot()->keys.at(key.id).last_used,
            std::chrono::floor<std::chrono::minutes>(now()));
}

}  // namespace
}  // namespace grapnel::contract
