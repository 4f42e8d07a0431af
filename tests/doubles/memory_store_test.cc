// What the memory store can do beyond the ports (tests/contract has those): faults of commits, at
// will.
#include "doubles/memory_store.h"

#include <gtest/gtest.h>

#include "crypto/digest.h"
#include "doubles/drive.h"
#include "doubles/manual_clock.h"

namespace grapnel::doubles {
namespace {

using model::Appended;
using model::Source;
using Answer = Result<std::vector<Appended>>;

async::Task<> append_and_note(MemoryStore& store, model::EventDraft draft,
                              std::vector<Answer>& out) {
  std::vector<model::EventDraft> drafts;
  drafts.push_back(std::move(draft));
  out.push_back(co_await store.append(std::move(drafts)));
}

struct MemoryStoreTest : testing::Test {
  MemoryStoreTest() {
    Source source;
    source.id = {{1}};
    source.slug = "demo";
    EXPECT_TRUE(run(loop, store.commit({model::PutSource{.source = source}})));
  }

  model::EventDraft draft(std::uint8_t number) {
    model::EventDraft out;
    out.event.id.bytes = {number};
    out.event.source = {{1}};
    out.event.body = "x";
    out.event.body_sha256 = crypto::sha256("x");
    out.event.received = store.clock().now();
    out.plan.revision = store.snapshot()->revision;
    return out;
  }
  void append(std::uint8_t number) {
    boost::asio::co_spawn(loop, append_and_note(store, draft(number), answers),
                          [](const std::exception_ptr& error) { EXPECT_FALSE(error); });
  }

  async::Loop loop;
  ManualClock clock;
  MemoryStore store{loop, clock};
  std::vector<Answer> answers;
};

TEST_F(MemoryStoreTest, WhatWaitsIsSharedByOneCommitInALaterTurn) {
  std::vector<std::size_t> sizes;
  store.decide_commits([&](const CommitInfo& info) {
    sizes.push_back(info.calls.size());
    return Fate::commit;
  });
  append(1);
  append(2);
  EXPECT_TRUE(answers.empty());
  run_ready(loop);
  EXPECT_EQ(answers.size(), 2U);
  EXPECT_EQ(sizes, std::vector<std::size_t>{2});
}

TEST_F(MemoryStoreTest, HeldBackCommitShowsNothingUntilItIsMade) {
  store.set_commits(MemoryStore::Commits::by_hand);
  append(1);
  run_ready(loop);
  EXPECT_EQ(store.waiting(), 1U);
  EXPECT_TRUE(store.tables().events().empty());
  EXPECT_TRUE(store.commit_waiting());
  run_ready(loop);
  EXPECT_EQ(store.tables().events().size(), 1U);
  EXPECT_TRUE(answers.at(0));
}

TEST_F(MemoryStoreTest, FailedCommitChangesNothingAndSaysWhy) {
  store.decide_commits([](const CommitInfo&) { return Fate::fail_full; });
  append(1);
  run_ready(loop);
  EXPECT_EQ(answers.at(0).error().code, model::errc::store_full);
  EXPECT_TRUE(store.tables().events().empty());
  EXPECT_TRUE(store.health().writable);
}

TEST_F(MemoryStoreTest, OutageLastsUntilItIsEnded) {
  store.set_outage(model::errc::store_read_only);
  append(1);
  run_ready(loop);
  EXPECT_EQ(answers.at(0).error().code, model::errc::store_read_only);
  EXPECT_FALSE(store.health().writable);
  EXPECT_FALSE(store.health().reason.empty());
  store.set_outage(std::nullopt);
  append(1);
  run_ready(loop);
  EXPECT_TRUE(answers.at(1));
}

TEST_F(MemoryStoreTest, CrashBeforeTheCommitLosesIt) {
  bool told = false;
  store.on_crash([&] { told = true; });
  store.decide_commits([](const CommitInfo&) { return Fate::crash_before; });
  append(1);
  run_ready(loop);
  EXPECT_TRUE(told);
  EXPECT_FALSE(answers.at(0));
  store.reopen();
  EXPECT_TRUE(store.tables().events().empty());
}

TEST_F(MemoryStoreTest, CrashAfterTheCommitKeepsWhatNobodyWasTold) {
  store.decide_commits([](const CommitInfo&) { return Fate::crash_after; });
  append(1);
  run_ready(loop);
  EXPECT_FALSE(answers.at(0));
  store.reopen();
  EXPECT_EQ(store.tables().events().size(), 1U);
}

TEST_F(MemoryStoreTest, CrashLosesWhatWaitedAndRefusesUntilReopened) {
  store.set_commits(MemoryStore::Commits::by_hand);
  append(1);
  run_ready(loop);
  store.crash();
  append(2);
  run_ready(loop);
  EXPECT_EQ(answers.size(), 2U);
  EXPECT_FALSE(answers.at(0));
  EXPECT_FALSE(answers.at(1));
  store.reopen();
  store.set_commits(MemoryStore::Commits::each_turn);
  run_ready(loop);
  EXPECT_TRUE(store.tables().events().empty());
  append(3);
  run_ready(loop);
  EXPECT_TRUE(answers.at(2));
}

TEST_F(MemoryStoreTest, RestoreBringsBackTheBackupAndLeapsOverItsNumbers) {
  append(1);
  run_ready(loop);
  EXPECT_TRUE(run(loop, store.backup("monday")));
  append(2);
  run_ready(loop);
  const model::Seq lost = answers.at(1)->at(0).seq;
  EXPECT_FALSE(store.restore("sunday"));
  EXPECT_TRUE(store.restore("monday"));
  EXPECT_EQ(store.tables().events().size(), 1U);
  append(3);
  run_ready(loop);
  EXPECT_GT(answers.at(2)->at(0).seq, lost);
}

}  // namespace
}  // namespace grapnel::doubles
