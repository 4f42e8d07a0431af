// A disk that fails: what the store says meanwhile, what it keeps, how it comes back.
#include <gtest/gtest.h>

#include "doubles/lossy_vfs.h"
#include "drivers/sqlite/store_harness.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

using doubles::LossyVfs;
using Kind = model::Settlement::Kind;

struct FaultTest : testing::Test {
  LossyVfs disk;
  StoreHarness harness;
  model::SourceId source;
  model::ActionId action;

  void SetUp() override {
    harness.options.vfs = disk.name();
    harness.open();
    source = harness.add_source("demo");
    action = harness.add_action(source, "sink");
  }
  bool wait_until_writable() {
    return doubles::wait_until(harness.loop,
                               [&] { return harness.store->ports().upkeep.health().writable; });
  }
};

TEST_F(FaultTest, FailedSyncOfTheLogAcknowledgesNothingAndLeavesNothingBehind) {
  const auto before = harness.append(harness.draft(source, "before"));
  disk.fail_next_sync("-wal");
  const auto refused = harness.try_append(harness.draft(source, "refused"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, model::errc::store_unavailable);
  ASSERT_TRUE(wait_until_writable());
  EXPECT_EQ(harness.store->counters().reopenings, 1U);
  const auto after = harness.append(harness.draft(source, "after"));

  // What the kernel shows of the failed commit is not on the disk; no later commit may rest on it.
  disk.cut_power();
  harness.close();
  disk.restore_power(std::nullopt);
  harness.open();
  EXPECT_EQ(harness.event(before.seq).body, "before");
  EXPECT_EQ(harness.event(after.seq).body, "after");
  const auto page = harness.run(harness.store->ports().catalog.events({}));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->items.size(), 2U);
}

TEST_F(FaultTest, FailedSyncOfTheDatabaseInACheckpointLosesNothing) {
  harness.options.wal_bytes_max = 2_MiB;  // a checkpoint that is complete, and so syncs, comes soon
  harness.reopen();
  std::vector<model::Seq> seqs;
  disk.fail_next_sync(".db");
  for (int i = 0; i < 400 && harness.store->counters().reopenings == 0; ++i) {
    std::vector<model::EventDraft> drafts;
    for (int j = 0; j < 8; ++j) drafts.push_back(harness.draft(source, std::string(10'000, 'x')));
    const auto appended = harness.run(harness.store->ports().log.append(std::move(drafts)));
    if (!appended) continue;
    for (const auto& one : *appended) seqs.push_back(one.seq);
  }
  EXPECT_EQ(harness.store->counters().reopenings, 1U);
  disk.cut_power();
  harness.close();
  disk.restore_power(std::nullopt);
  harness.open();
  for (const auto seq : seqs) ASSERT_EQ(harness.event(seq).body.size(), 10'000U);
}

TEST_F(FaultTest, FullDiskIsToldAndTheStoreComesBackWhenSpaceDoes) {
  const auto kept = harness.append(harness.draft(source, "kept"));
  disk.set_room(LossyVfs::Room::none);
  const auto refused = harness.try_append(harness.draft(source, std::string(100'000, 'x')));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, model::errc::store_full);
  const auto health = harness.store->ports().upkeep.health();
  EXPECT_FALSE(health.writable);
  EXPECT_NE(health.reason.find("full"), std::string::npos) << health.reason;
  EXPECT_EQ(harness.event(kept.seq).body, "kept");

  disk.set_room(LossyVfs::Room::enough);
  ASSERT_TRUE(wait_until_writable());
  const auto after = harness.append(harness.draft(source, "after"));
  EXPECT_EQ(harness.event(after.seq).body, "after");
}

TEST_F(FaultTest, WritesAreRefusedWhileTheDiskHangs) {
  harness.close();
  harness.options.stall_max = Millis{1};
  harness.open();
  disk.set_syncs(LossyVfs::Syncs::hang);
  std::optional<Result<std::vector<model::Appended>>> hanging;
  std::vector<model::EventDraft> drafts;
  drafts.push_back(harness.draft(source, "hanging"));
  boost::asio::co_spawn(
      harness.loop, harness.store->ports().log.append(std::move(drafts)),
      [&](std::exception_ptr, Result<std::vector<model::Appended>> r) { hanging = std::move(r); });
  const auto healthy = [&] { return harness.store->ports().upkeep.health().writable; };
  ASSERT_TRUE(doubles::wait_until(harness.loop, [&] { return !healthy(); }));
  const std::string reason = harness.store->ports().upkeep.health().reason;
  EXPECT_NE(reason.find("hang"), std::string::npos) << reason;
  const auto refused = harness.try_append(harness.draft(source, "refused"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, model::errc::store_unavailable);
  EXPECT_FALSE(hanging);

  disk.set_syncs(LossyVfs::Syncs::end);
  ASSERT_TRUE(doubles::wait_until(harness.loop, [&] { return hanging && healthy(); }));
  ASSERT_TRUE(*hanging);
  EXPECT_EQ(harness.event((*hanging)->front().seq).body, "hanging");
}

TEST_F(FaultTest, CommandAtFaultFailsAlone) {
  std::vector<model::RegistryChange> changes;
  model::Source other;
  other.id = harness.new_id<model::SourceId>();
  other.slug = "demo";  // taken
  changes.emplace_back(model::PutSource{.source = other});
  std::optional<Result<model::SnapshotPtr>> conflict;
  std::optional<Result<std::vector<model::Appended>>> appended;
  std::vector<model::EventDraft> drafts;
  drafts.push_back(harness.draft(source, "beside"));
  // Queued in one turn of the loop, so that they share a transaction.
  boost::asio::co_spawn(
      harness.loop, harness.store->ports().registry.commit(std::move(changes)),
      [&](std::exception_ptr, Result<model::SnapshotPtr> r) { conflict = std::move(r); });
  boost::asio::co_spawn(
      harness.loop, harness.store->ports().log.append(std::move(drafts)),
      [&](std::exception_ptr, Result<std::vector<model::Appended>> r) { appended = std::move(r); });
  ASSERT_TRUE(doubles::wait_until(harness.loop, [&] { return conflict && appended; }));
  ASSERT_FALSE(*conflict);
  EXPECT_EQ(conflict->error().code, model::errc::conflict);
  ASSERT_TRUE(*appended);
  EXPECT_EQ(harness.event((**appended)[0].seq).body, "beside");
  EXPECT_TRUE(harness.store->ports().upkeep.health().writable);
}

/// A small life of a store. Every answer is checked against what the store says afterwards.
struct Scenario {
  StoreHarness& harness;
  std::vector<std::pair<model::Seq, std::string>> kept;
  std::vector<model::DeliveryId> delivered;

  Result<> run() {
    if (auto opened = harness.try_open(); !opened) return opened;
    model::Source source;
    source.id = harness.new_id<model::SourceId>();
    source.slug = "demo";
    const auto put =
        harness.run(harness.store->ports().registry.commit({model::PutSource{.source = source}}));
    if (!put) return fail(put.error());
    model::Action action;
    action.id = harness.new_id<model::ActionId>();
    action.source = source.id;
    action.name = "sink";
    action.target_url = "https://example.test/";
    const auto added =
        harness.run(harness.store->ports().registry.commit({model::PutAction{.action = action}}));
    if (!added) return fail(added.error());
    for (int i = 0; i < 3; ++i) {
      const std::string body(static_cast<std::size_t>(i) * 5000, 'b');
      auto appended = harness.try_append(harness.draft(source.id, body, model::Birth::leased));
      if (!appended) return fail(appended.error());
      kept.emplace_back(appended->seq, body);
      const auto& born = appended->deliveries.at(0);
      const auto settled =
          harness.run(harness.store->ports().book.settle({harness.outcome(born, Kind::delivered)}));
      if (!settled) return fail(settled.error());
      delivered.push_back(born.id);
    }
    return {};
  }
};

class FaultLoop : public testing::TestWithParam<LossyVfs::Fault> {};

TEST_P(FaultLoop, FailureOfAnyOperationLosesNothingThatWasAnswered) {
  std::uint64_t operations = 0;
  {
    LossyVfs disk;
    StoreHarness harness;
    harness.options.vfs = disk.name();
    Scenario scenario{.harness = harness, .kept = {}, .delivered = {}};
    ASSERT_TRUE(scenario.run());
    harness.close();
    operations = disk.operations();
  }
  ASSERT_GT(operations, 50U);
  for (std::uint64_t n = 1; n <= operations; ++n) {
    SCOPED_TRACE(testing::Message() << "operation " << n);
    LossyVfs disk;
    StoreHarness harness;
    harness.options.vfs = disk.name();
    disk.fail_at(n, GetParam());
    Scenario scenario{.harness = harness, .kept = {}, .delivered = {}};
    const auto ended = scenario.run();
    if (!ended) EXPECT_FALSE(ended.error().message().empty());
    disk.cut_power();
    harness.close();
    disk.restore_power(n % 2 == 0 ? std::optional(n) : std::nullopt);
    harness.open();
    ASSERT_TRUE(harness.store);
    for (const auto& [seq, body] : scenario.kept) ASSERT_EQ(harness.event(seq).body, body);
    for (const auto id : scenario.delivered) {
      ASSERT_EQ(harness.delivery(id).state, model::DeliveryState::delivered);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryWay, FaultLoop,
                         testing::Values(LossyVfs::Fault::io_error, LossyVfs::Fault::half_done,
                                         LossyVfs::Fault::disk_full));

}  // namespace
}  // namespace grapnel::sqlite
