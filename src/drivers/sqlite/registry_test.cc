#include "drivers/sqlite/registry.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/schema.h"
#include "model/errors.h"
#include "model/stored_json.h"

namespace grapnel::sqlite {
namespace {

using model::Action;
using model::errc;
using model::Health;
using model::PutAction;
using model::PutKey;
using model::PutSource;
using model::Source;

/// A database and the writer's memory of it, without the writer: what a command changes is kept at
/// once.
struct RegistryTest : testing::Test {
  std::filesystem::path file;
  std::unique_ptr<Connection> db;
  model::SnapshotPtr snapshot;
  Time now{Millis{1'000'000}};
  std::uint8_t ids = 0;

  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    file = std::filesystem::path(testing::TempDir()) /
           (std::string("registry-") + info->name() + ".db");
    std::filesystem::remove(file);
    auto opened = Connection::open(
        {.path = file.string(), .vfs = {}, .access = Access::read_write, .cache_bytes = 1 << 20});
    ASSERT_TRUE(opened);
    db = std::move(*opened);
    ASSERT_TRUE(migrate(*db, migrations()));
    load();
  }
  void TearDown() override {
    db.reset();
    std::filesystem::remove(file);
  }

  void load() {
    auto loaded = load_registry(*db);
    ASSERT_TRUE(loaded) << loaded.error().message();
    snapshot = *loaded;
  }
  template <class Function>
  Result<> in_transaction(const Function& function) {
    WriterState state;
    state.registry = snapshot;
    state.keys = load_row_keys(*db).value();
    Transaction tx(*db, state, now);
    if (auto done = db->begin(); !done) return done;
    auto done = function(tx);
    if (!done) {
      db->rollback();
      return done;
    }
    if (auto committed = db->commit(); !committed) return committed;
    snapshot = tx.registry_ptr();
    return {};
  }
  Result<> commit(std::vector<model::RegistryChange> changes) {
    return in_transaction([&](Transaction& tx) { return apply_changes(tx, changes); });
  }

  template <class IdType>
  IdType make_id() {
    IdType id;
    id.bytes.fill(++ids);
    return id;
  }
  Source source_named(const std::string& slug) {
    Source source;
    source.id = make_id<model::SourceId>();
    source.slug = source.name = slug;
    return source;
  }
  Action action_of(const Source& source, const std::string& name) {
    Action action;
    action.id = make_id<model::ActionId>();
    action.source = source.id;
    action.name = name;
    action.target_url = "https://a.test/";
    return action;
  }
  std::int64_t count(const std::string& sql) { return db->scalar(sql).value(); }
};

TEST_F(RegistryTest, RowThatNoVersionWroteIsAnErrorAtOpening) {
  const Source source = source_named("demo");
  ASSERT_TRUE(commit({PutSource{source}}));
  ASSERT_TRUE(db->execute("UPDATE sources SET definition = '{\"id\":5}'"));
  const auto loaded = load_registry(*db);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, make_error_code(errc::malformed));
}

TEST_F(RegistryTest, ActionWithoutItsSourceIsAnErrorAtOpening) {
  const Source source = source_named("demo");
  ASSERT_TRUE(commit({PutSource{source}, PutAction{action_of(source, "one")}}));
  ASSERT_TRUE(db->execute("UPDATE sources SET definition = NULL"));
  EXPECT_FALSE(load_registry(*db));
}

TEST_F(RegistryTest, BoundsAreNamedErrors) {
  const Source source = source_named("demo");
  ASSERT_TRUE(commit({PutSource{source}}));
  std::vector<model::RegistryChange> many;
  for (std::size_t i = 0; i <= model::kActionsPerSourceMax; ++i) {
    Action action = action_of(source, std::to_string(i));
    action.id.bytes[0] = static_cast<std::uint8_t>(i & 0xff);
    action.id.bytes[1] = static_cast<std::uint8_t>(i >> 8);
    many.push_back(PutAction{action});
  }
  const auto done = commit(many);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, make_error_code(errc::too_many));
  EXPECT_EQ(count("SELECT count(*) FROM actions"), 0);
  Action secretive = action_of(source, "secretive");
  secretive.secrets.resize(model::kSigningSecretsMax + 1);
  EXPECT_EQ(commit({PutAction{secretive}}).error().code, make_error_code(errc::too_many));
}

TEST_F(RegistryTest, SlugsAndTargetsAreCheckedAgain) {
  EXPECT_EQ(commit({PutSource{source_named("No Slug")}}).error().code,
            make_error_code(errc::malformed));
  const Source source = source_named("demo");
  ASSERT_TRUE(commit({PutSource{source}}));
  Action blank = action_of(source, "blank");
  blank.target_url.clear();
  EXPECT_EQ(commit({PutAction{blank}}).error().code, make_error_code(errc::malformed));
}

TEST_F(RegistryTest, NothingComesBackFromDeleting) {
  Source source = source_named("demo");
  Action action = action_of(source, "one");
  ASSERT_TRUE(commit({PutSource{source}, PutAction{action}}));
  source.deleting = true;
  ASSERT_TRUE(commit({PutSource{source, snapshot->find_source(source.id)->source.revision}}));
  EXPECT_TRUE(snapshot->find_action(action.id)->deleting) << "a source takes its actions along";
  source.deleting = false;
  EXPECT_EQ(
      commit({PutSource{source, snapshot->find_source(source.id)->source.revision}}).error().code,
      make_error_code(errc::conflict));
  EXPECT_EQ(commit({PutAction{action, snapshot->find_action(action.id)->revision}}).error().code,
            make_error_code(errc::conflict));
}

TEST_F(RegistryTest, HealthOfADeletingActionCanStillBeNoted) {
  Source source = source_named("demo");
  Action action = action_of(source, "one");
  ASSERT_TRUE(commit({PutSource{source}, PutAction{action}}));
  source.deleting = true;
  ASSERT_TRUE(commit({PutSource{source, snapshot->find_source(source.id)->source.revision}}));
  Action failing = *snapshot->find_action(action.id);
  failing.health = Health::failing;
  EXPECT_TRUE(commit({PutAction{failing, failing.revision}}));
}

TEST_F(RegistryTest, AnActionDoesNotMoveToAnotherSource) {
  const Source one = source_named("one");
  const Source two = source_named("two");
  Action action = action_of(one, "a");
  ASSERT_TRUE(commit({PutSource{one}, PutSource{two}, PutAction{action}}));
  action.source = two.id;
  EXPECT_EQ(commit({PutAction{action, snapshot->find_action(action.id)->revision}}).error().code,
            make_error_code(errc::conflict));
}

TEST_F(RegistryTest, NewTargetStartsAfreshAndStepFromGoneToOkToo) {
  const Source source = source_named("demo");
  ASSERT_TRUE(commit({PutSource{source}, PutAction{action_of(source, "one")}}));
  const auto id = snapshot->find_source("demo")->actions.at(0)->id;
  const auto change = [&](const std::function<void(Action&)>& edit) {
    Action action = *snapshot->find_action(id);
    const auto expected = action.revision;
    edit(action);
    now += Millis{1'000};
    ASSERT_TRUE(commit({PutAction{action, expected}}));
  };
  const auto first = snapshot->find_action(id)->target_revision;
  EXPECT_GT(first, 0);
  change([](Action& a) {
    a.health = Health::gone;
    a.health_reason = "410";
  });
  EXPECT_EQ(snapshot->find_action(id)->health_since, now);
  EXPECT_EQ(snapshot->find_action(id)->target_revision, first);
  change([](Action& a) { a.max_in_flight = 2; });
  EXPECT_EQ(snapshot->find_action(id)->health, Health::gone);
  EXPECT_LT(snapshot->find_action(id)->health_since, now);
  change([](Action& a) { a.target_url = "https://b.test/"; });
  EXPECT_EQ(snapshot->find_action(id)->health, Health::ok);
  EXPECT_EQ(snapshot->find_action(id)->health_reason, "");
  const auto second = snapshot->find_action(id)->target_revision;
  EXPECT_GT(second, first);
  change([](Action& a) { a.health = Health::gone; });
  change([](Action& a) { a.health = Health::ok; });
  EXPECT_GT(snapshot->find_action(id)->target_revision, second);
}

TEST_F(RegistryTest, HealthAloneMakesNoHistoryAndNoUpdate) {
  const Source source = source_named("demo");
  const Action action = action_of(source, "one");
  ASSERT_TRUE(commit({PutSource{source}, PutAction{action}}));
  const Action before = *snapshot->find_action(action.id);
  now += Millis{60'000};
  Action failing = before;
  failing.health = Health::failing;
  failing.health_reason = "connection refused";
  ASSERT_TRUE(commit({PutAction{failing, before.revision}}));
  EXPECT_EQ(count("SELECT count(*) FROM action_revisions"), 1);
  EXPECT_EQ(snapshot->find_action(action.id)->updated, before.updated);
  EXPECT_GT(snapshot->find_action(action.id)->revision, before.revision);
}

TEST_F(RegistryTest, HistoryIsBoundedAndHoldsNoSecret) {
  const Source source = source_named("demo");
  Action action = action_of(source, "one");
  action.secrets.push_back({.sealed = "sealed", .created = now, .expires = {}, .primary_from = {}});
  ASSERT_TRUE(commit({PutSource{source}, PutAction{action}}));
  for (int i = 0; i < kActionRevisionsKept + 20; ++i) {
    Action next = *snapshot->find_action(action.id);
    const auto expected = next.revision;
    next.max_in_flight = 1 + i;
    ASSERT_TRUE(commit({PutAction{next, expected}}));
  }
  EXPECT_EQ(count("SELECT count(*) FROM action_revisions"), kActionRevisionsKept);
  EXPECT_EQ(count("SELECT max(revision) FROM action_revisions"),
            snapshot->find_action(action.id)->revision);
  EXPECT_EQ(count("SELECT count(*) FROM action_revisions WHERE definition LIKE '%sealed\":\"%'"),
            0);
  EXPECT_EQ(snapshot->find_action(action.id)->secrets.size(), 1U);
}

TEST_F(RegistryTest, RemovedDefinitionsLeaveTombstonesWhoseIdsAreNotTakenAgain) {
  const Source source = source_named("demo");
  const Action action = action_of(source, "one");
  ASSERT_TRUE(commit({PutSource{source}, PutAction{action}}));
  ASSERT_TRUE(
      in_transaction([&](Transaction& tx) { return remove_definitions(tx, {}, {source.id}); }));
  EXPECT_TRUE(snapshot->find_source(source.id)) << "it still has an action";
  ASSERT_TRUE(in_transaction(
      [&](Transaction& tx) { return remove_definitions(tx, {action.id}, {source.id}); }));
  EXPECT_EQ(snapshot->find_action(action.id), nullptr);
  EXPECT_EQ(snapshot->find_source(source.id), nullptr);
  EXPECT_EQ(snapshot->find_source("demo"), nullptr);
  EXPECT_EQ(count("SELECT count(*) FROM actions WHERE definition IS NULL"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM sources WHERE definition IS NULL"), 1);
  EXPECT_EQ(commit({PutSource{source}}).error().code, make_error_code(errc::conflict));
  load();
  EXPECT_TRUE(snapshot->sources.empty());
  EXPECT_TRUE(snapshot->action_sources.empty());
}

TEST_F(RegistryTest, SnapshotMadeInMemoryIsTheOneThatIsLoaded) {
  const Source one = source_named("one");
  const Source two = source_named("two");
  ASSERT_TRUE(commit({PutSource{one}, PutAction{action_of(one, "a")}, PutSource{two}}));
  ASSERT_TRUE(commit({PutAction{action_of(one, "b")}, PutAction{action_of(two, "a")}}));
  model::ApiKey key;
  key.id = make_id<model::KeyId>();
  key.hash = "h";
  ASSERT_TRUE(commit({PutKey{key}}));
  const auto made = snapshot;
  load();
  EXPECT_EQ(made->revision, snapshot->revision);
  EXPECT_EQ(made->slugs, snapshot->slugs);
  EXPECT_EQ(made->action_sources, snapshot->action_sources);
  EXPECT_EQ(made->key_hashes, snapshot->key_hashes);
  for (const auto& [id, entry] : made->sources) {
    const auto loaded = snapshot->find_source(id);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(model::to_stored(loaded->source), model::to_stored(entry->source));
    ASSERT_EQ(loaded->actions.size(), entry->actions.size());
    for (std::size_t i = 0; i < entry->actions.size(); ++i) {
      EXPECT_EQ(model::to_stored(*loaded->actions[i]), model::to_stored(*entry->actions[i]));
    }
  }
}

TEST_F(RegistryTest, KeyThatIsPutAgainKeepsItsAgeAndLosesItsOldValue) {
  model::ApiKey key;
  key.id = make_id<model::KeyId>();
  key.hash = "old";
  ASSERT_TRUE(commit({PutKey{key}}));
  const Time made = now;
  now += Millis{5'000};
  key.hash = "new";
  ASSERT_TRUE(commit({PutKey{key}}));
  EXPECT_EQ(snapshot->keys.at(key.id).created, made);
  EXPECT_FALSE(snapshot->key_hashes.contains("old"));
  EXPECT_EQ(commit({model::DeleteKey{make_id<model::KeyId>()}}).error().code,
            make_error_code(errc::not_found));
}

}  // namespace
}  // namespace grapnel::sqlite
