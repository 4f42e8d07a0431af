// Histories that runs must meet (coverage.h), each by itself: here what happens is known to the
// last step.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/rig.h"

namespace grapnel::sim {
namespace {

using doubles::RecordedCall;
using doubles::ScriptedReply;
using model::DeliveryState;
using pipeline::Rig;
using std::chrono::hours;
using std::chrono::seconds;

/// What one endpoint answers, for a test that changes its mind.
class Endpoint {
 public:
  explicit Endpoint(Rig& rig) {
    rig.sender.set_script([this](const RecordedCall&) { return reply_; });
  }
  void says(ScriptedReply reply) { reply_ = std::move(reply); }

 private:
  ScriptedReply reply_ = doubles::answer(200);
};

model::Action make_action(Rig& rig, const model::Source& source, const std::string& name = "hook") {
  auto action = rig.make_action(source, name);
  action.retry.schedule = {seconds{1}, seconds{5}};
  return rig.put(action);
}

model::Source make_ordered_source(Rig& rig) {
  auto source = rig.make_source("orders");
  source.ordering_key = model::Place{model::Place::Kind::pointer, "/k"};
  return rig.put(source);
}

std::vector<std::string> bodies_sent(const Rig& rig) {
  std::vector<std::string> out;
  for (const auto& call : rig.sender.calls()) out.push_back(call.body);
  return out;
}

template <class T>
T must(Result<T> result) {
  EXPECT_TRUE(result) << (result ? "" : result.error().message());
  return result ? *result : T{};
}

TEST(Histories, AGoneThatArrivesAfterTheTargetWasChangedSaysNothingOfTheNewOne) {
  Rig rig;
  Endpoint endpoint(rig);
  const auto source = rig.make_source("orders");
  auto action = make_action(rig, source);
  endpoint.says(doubles::answer(410, seconds{5}));
  ASSERT_TRUE(rig.receive("orders"));
  rig.advance(seconds{1});
  endpoint.says(doubles::answer(200));
  action = rig.action(action.id);
  action.target_url = "http://elsewhere.test/hook";
  rig.put(action);
  rig.advance(seconds{10});
  EXPECT_EQ(rig.action(action.id).health, model::Health::ok);
  EXPECT_EQ(rig.only_delivery().state, DeliveryState::delivered);
  EXPECT_EQ(rig.sender.calls().back().call.url, action.target_url);
}

TEST(Histories, ACancelSurvivesACrashBeforeTheAttemptReturns) {
  Rig rig;
  Endpoint endpoint(rig);
  make_action(rig, rig.make_source("orders"));
  endpoint.says(doubles::answer(200, seconds{5}));
  ASSERT_TRUE(rig.receive("orders"));
  rig.advance(seconds{1});
  const auto answers = must(doubles::run(rig.loop, rig.store.cancel({rig.only_delivery().id})));
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(must(answers.front()), DeliveryState::running);
  rig.crash_and_start_again();
  rig.advance(seconds{30});
  EXPECT_EQ(rig.only_delivery().state, DeliveryState::cancelled);
  EXPECT_EQ(rig.sender.calls().size(), 1U);
}

TEST(Histories, ADeletionGoesOnAfterACrash) {
  Rig rig;
  Endpoint endpoint(rig);
  auto action = make_action(rig, rig.make_source("orders"));
  endpoint.says(doubles::answer(500, seconds{2}));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(rig.receive("orders"));
  action = rig.action(action.id);
  action.deleting = true;
  rig.store.decide_commits([](const doubles::CommitInfo& info) {
    const bool deletes = std::ranges::find(info.calls, "commit") != info.calls.end();
    return deletes ? doubles::Fate::crash_after : doubles::Fate::commit;
  });
  EXPECT_FALSE(
      doubles::run(rig.loop, rig.store.commit({model::PutAction{action, action.revision}})));
  rig.store.decide_commits({});
  rig.crash_and_start_again();
  rig.advance(seconds{60});
  EXPECT_EQ(rig.count(DeliveryState::cancelled), 100);
  EXPECT_EQ(rig.store.snapshot()->find_action(action.id), nullptr);
}

TEST(Histories, ABulkReplayWhileItsEndpointIsDownReplaysEachOnce) {
  Rig rig;
  Endpoint endpoint(rig);
  make_action(rig, rig.make_source("orders"));
  endpoint.says(doubles::answer(500));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(rig.receive("orders"));
  rig.advance(seconds{30});
  ASSERT_EQ(rig.count(DeliveryState::dead), 20);
  must(doubles::run(rig.loop, rig.store.start_job({.id = rig.ids.make<model::JobId>()})));
  rig.process->replayer().wake();
  rig.advance(seconds{60});
  const auto jobs = must(doubles::run(rig.loop, rig.store.jobs()));
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs.front().state, model::JobState::done);
  EXPECT_EQ(jobs.front().replayed, 20);
  EXPECT_EQ(rig.deliveries().size(), 40U) << "it does not replay its own replays";
  EXPECT_EQ(rig.count(DeliveryState::dead), 40);
}

TEST(Histories, NewEventsJoinTheEndOfWhatIsReleased) {
  Rig rig;
  Endpoint endpoint(rig);
  auto source = make_ordered_source(rig);
  make_action(rig, source);
  source = rig.current(source.id);
  source.mode = model::SourceMode::paused;
  source = rig.put(source);
  std::vector<std::string> sent;
  const auto receive = [&](int n) {
    sent.push_back(fmt::format(R"({{"k":1,"n":{}}})", n));
    const auto receipt = rig.receive("orders", sent.back());
    ASSERT_TRUE(receipt);
  };
  for (int n = 0; n < 300; ++n) receive(n);  // more than one step releases
  source.mode = model::SourceMode::active;
  source = rig.put(source);
  for (int n = 300; n < 320; ++n) receive(n);
  rig.advance(seconds{60});
  EXPECT_EQ(rig.count(DeliveryState::delivered), 320);
  EXPECT_EQ(bodies_sent(rig), sent);
}

TEST(Histories, AnOrderedKeyWaitsForAnUnknownAttemptToBeMadeAgain) {
  Rig rig;
  Endpoint endpoint(rig);
  make_action(rig, make_ordered_source(rig));
  const std::string first = R"({"k":1,"n":1})";
  const std::string second = R"({"k":1,"n":2})";
  endpoint.says(doubles::answer(200, seconds{5}));
  ASSERT_TRUE(rig.receive("orders", first));
  ASSERT_TRUE(rig.receive("orders", second));
  rig.advance(seconds{1});
  rig.crash_and_start_again();
  rig.advance(seconds{60});
  EXPECT_THAT(bodies_sent(rig), testing::ElementsAre(first, first, second));
  EXPECT_EQ(rig.count(DeliveryState::delivered), 2);
}

TEST(Histories, ARestoreRefusesOldCursorsEvenTheSecondTime) {
  Rig rig;
  make_action(rig, rig.make_source("orders"));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(rig.receive("orders"));
  rig.advance(seconds{1});
  ASSERT_TRUE(doubles::run(rig.loop, rig.store.backup("nightly")));
  for (int restore = 0; restore < 2; ++restore) {
    const auto page = must(doubles::run(rig.loop, rig.store.events({.limit = 1})));
    ASSERT_TRUE(page.next);
    rig.crash();
    ASSERT_TRUE(rig.store.restore("nightly"));
    rig.start_again();
    const auto old = doubles::run(rig.loop, rig.store.events({.after = page.next, .limit = 1}));
    ASSERT_FALSE(old) << restore;
    EXPECT_EQ(old.error().code, model::errc::old_cursor);
  }
}

TEST(Histories, ADayOnTheWallClockMovesNoDueTime) {
  for (const auto jump : {hours{24}, hours{-24}}) {
    Rig rig;
    Endpoint endpoint(rig);
    auto action = make_action(rig, rig.make_source("orders"));
    action.retry.schedule = {seconds{60}};
    rig.put(action);
    endpoint.says(doubles::answer(500));
    ASSERT_TRUE(rig.receive("orders"));
    rig.advance(seconds{1});
    rig.system_clock.jump_wall(jump);
    rig.advance(seconds{40});
    EXPECT_EQ(rig.sender.calls().size(), 1U);
    rig.advance(seconds{40});
    EXPECT_EQ(rig.sender.calls().size(), 2U);
  }
}

TEST(Histories, AFullDiskWhileAttemptsAreInFlightRepeatsNothing) {
  Rig rig;
  Endpoint endpoint(rig);
  auto action = make_action(rig, rig.make_source("orders"));
  action.max_in_flight = 4;
  rig.put(action);
  endpoint.says(doubles::answer(200, seconds{2}));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(rig.receive("orders"));
  rig.advance(seconds{1});
  ASSERT_EQ(rig.sender.in_flight(), 4);
  rig.store.set_outage(model::errc::store_full);
  rig.advance(hours{1});
  const auto made = rig.sender.calls().size();
  EXPECT_LE(made, 8U) << "at most what began before the store was known to be full";
  rig.store.set_outage(std::nullopt);
  rig.advance(seconds{60});
  EXPECT_EQ(rig.count(DeliveryState::delivered), 20);
  EXPECT_EQ(rig.sender.calls().size(), 20U) << "no attempt was made twice";
}

}  // namespace
}  // namespace grapnel::sim
