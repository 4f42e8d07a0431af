// EventLog: appending, dedupe, reading. Holding and fanning out later: event_log_held_contract.cc.
#include <gmock/gmock.h>

#include <map>
#include <optional>

#include "contract/store_contract.h"
#include "crypto/digest.h"

namespace grapnel::contract {
namespace {

using namespace model;
using model::errc;
using std::chrono::hours;
using std::chrono::milliseconds;

TEST_P(EventLogContract, AnswersComeInTheOrderOfTheDraftsWithGrowingSeq) {
  const SourceId source = add_source("demo");
  std::vector<EventDraft> drafts;
  std::vector<EventId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(drafts.emplace_back(draft(source)).event.id);
  const auto first = append_all(std::move(drafts));
  ASSERT_EQ(first.size(), 5U);
  Seq last = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].admission, Admission::accepted);
    EXPECT_EQ(first[i].event, ids[i]);
    EXPECT_GT(first[i].seq, last);
    last = first[i].seq;
  }
  EXPECT_GT(append(draft(source)).seq, last);
}

TEST_P(EventLogContract, EmptyBatchIsAnsweredWithNothing) { EXPECT_TRUE(append_all({}).empty()); }

TEST_P(EventLogContract, EventReadsBackByteForByte) {
  const SourceId source = add_source("demo");
  EventDraft made = draft(source);
  made.event.method = "PUT";
  made.event.target = "/webhooks/demo?a=%20b&a=2";
  made.event.headers = {{"X-Twice", "one"}, {"x-twice", "two"}, {"Content-Type", "text/x; q=\xe9"}};
  made.event.idempotency_place = "/id";
  made.event.idempotency_key = "k-1";
  made.event.ordering_key = "key with \"quotes\"";
  made.event.verification = "github";
  made.event.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  set_body(made, std::string("\0\xff{\"b\":1, \"a\":2}\r\n\0", 20));
  const Event sent = made.event;
  const Seq seq = append(std::move(made)).seq;
  reopen();
  const Event got = read(seq);
  EXPECT_EQ(got.seq, seq);
  EXPECT_EQ(got.id, sent.id);
  EXPECT_EQ(got.source, sent.source);
  EXPECT_EQ(got.type, sent.type);
  EXPECT_EQ(got.method, sent.method);
  EXPECT_EQ(got.target, sent.target);
  EXPECT_EQ(got.remote, sent.remote);
  EXPECT_EQ(got.headers, sent.headers);
  EXPECT_EQ(got.body, sent.body);
  EXPECT_EQ(got.body_size, sent.body.size());
  EXPECT_EQ(got.body_sha256, sent.body_sha256);
  EXPECT_EQ(got.received, sent.received);
  EXPECT_EQ(got.idempotency_place, sent.idempotency_place);
  EXPECT_EQ(got.idempotency_key, sent.idempotency_key);
  EXPECT_EQ(got.ordering_key, sent.ordering_key);
  EXPECT_EQ(got.verification, sent.verification);
  EXPECT_EQ(got.traceparent, sent.traceparent);
  EXPECT_EQ(got.fanout, FanoutState::done);
  EXPECT_EQ(got.run, 1);
}

TEST_P(EventLogContract, AbsentOrderingKeyIsNotAnEmptyOne) {
  const SourceId source = add_source("demo");
  const Seq none = append(draft(source)).seq;
  const Seq empty = append(ordered(source, "")).seq;
  EXPECT_EQ(read(none).ordering_key, std::nullopt);
  EXPECT_EQ(read(empty).ordering_key, "");
}

TEST_P(EventLogContract, FanOutMakesThePlannedDeliveriesWithTheEvent) {
  const SourceId source = add_source("demo");
  const ActionId one = add_action(source, "one");
  const ActionId two = add_action(source, "two");
  const EventDraft made = draft(source);
  const Appended got = append(made);
  ASSERT_EQ(got.deliveries.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(got.deliveries[i].id, made.plan.deliveries[i].id);
    EXPECT_EQ(got.deliveries[i].fence, 0);
    EXPECT_FALSE(got.deliveries[i].waits_for_order);
    const Delivery stored = delivery(got.deliveries[i].id);
    EXPECT_EQ(stored.seq, got.deliveries[i].seq);
    EXPECT_EQ(stored.state, DeliveryState::pending);
    EXPECT_EQ(stored.event, made.event.id);
    EXPECT_EQ(stored.event_seq, got.seq);
    EXPECT_EQ(stored.event_type, "test");
    EXPECT_EQ(stored.source, source);
    EXPECT_EQ(stored.action, i == 0 ? one : two);
    EXPECT_EQ(stored.created, now());
    EXPECT_EQ(stored.run, 1);
    EXPECT_EQ(stored.attempts, 0);
    EXPECT_EQ(stored.body_size, made.event.body.size());
  }
}

TEST_P(EventLogContract, DeliveryBornLeasedIsRunningUnderItsFence) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const Appended got = append(draft(source, Birth::leased));
  const BornDelivery born = got.deliveries.at(0);
  EXPECT_GT(born.fence, 0);
  const Delivery stored = delivery(born.id);
  EXPECT_EQ(stored.state, DeliveryState::running);
  EXPECT_TRUE(lease_ids(id).empty());
  EXPECT_EQ(settle({.delivery = stored, .fence = born.fence}, Settlement::Kind::delivered),
            DeliveryState::delivered);
}

TEST_P(EventLogContract, DeliveryBornDeadIsADeadLetterWithItsReason) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  EventDraft made = draft(source, Birth::dead);
  made.plan.deliveries[0].reason = EndReason::backlog_full;
  const BornDelivery born = append(std::move(made)).deliveries.at(0);
  EXPECT_EQ(born.fence, 0);
  const Delivery stored = delivery(born.id);
  EXPECT_EQ(stored.state, DeliveryState::dead);
  EXPECT_EQ(stored.reason, EndReason::backlog_full);
  EXPECT_EQ(stored.ended, now());
  EXPECT_GT(stored.ended_seq, 0);
  EXPECT_EQ(dead_letters(), std::vector{born.id});
  EXPECT_EQ(book().open_work(id).count(), 0);
}

TEST_P(EventLogContract, EventOfARecordingSourceHasNoDeliveries) {
  const SourceId source = add_source("demo", SourceMode::record);
  add_action(source, "one");
  const Appended got = append(draft(source));
  EXPECT_EQ(got.admission, Admission::recorded);
  EXPECT_TRUE(got.deliveries.empty());
  EXPECT_EQ(read(got.seq).fanout, FanoutState::recorded);
  EXPECT_TRUE(all_deliveries().empty());
}

TEST_P(EventLogContract, PlanOfBeforeA410IsStale) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  EventDraft before = draft(source);
  make_gone(source, id);
  EXPECT_EQ(append(std::move(before)).admission, Admission::stale_plan);
  EXPECT_EQ(book().open_work(id).count(), 0);
}

// --- dedupe

TEST_P(EventLogContract, SameKeyIsADuplicateOfTheFirstEvent) {
  const SourceId source = add_source("demo");
  add_action(source, "one");
  EventDraft made = keyed(source, "k");
  const std::string body = made.event.body;
  const Appended first = append(std::move(made));
  EventDraft again = keyed(source, "k");
  set_body(again, body);
  const Appended second = append(std::move(again));
  EXPECT_EQ(second.admission, Admission::duplicate);
  EXPECT_EQ(second.event, first.event);
  EXPECT_EQ(second.seq, first.seq);
  EXPECT_FALSE(second.other_body);
  EXPECT_TRUE(second.deliveries.empty());
  EXPECT_EQ(must(catalog().events({})).items.size(), 1U);
  EXPECT_EQ(all_deliveries().size(), 1U);
}

TEST_P(EventLogContract, DuplicateWithAnotherBodySaysSo) {
  const SourceId source = add_source("demo");
  append(keyed(source, "k"));
  const Appended second = append(keyed(source, "k"));
  EXPECT_EQ(second.admission, Admission::duplicate);
  EXPECT_TRUE(second.other_body);
}

TEST_P(EventLogContract, CopiesInOneBatchAreDuplicatesOfTheFirstOfThem) {
  const SourceId source = add_source("demo");
  std::vector<EventDraft> drafts;
  for (const char* key : {"a", "b", "a", "a"}) drafts.push_back(keyed(source, key));
  const auto got = append_all(std::move(drafts));
  EXPECT_EQ(got[0].admission, Admission::accepted);
  EXPECT_EQ(got[1].admission, Admission::accepted);
  EXPECT_EQ(got[2].admission, Admission::duplicate);
  EXPECT_EQ(got[3].admission, Admission::duplicate);
  EXPECT_EQ(got[2].event, got[0].event);
  EXPECT_EQ(got[3].seq, got[0].seq);
}

TEST_P(EventLogContract, KeyCountsOnlyInItsSourceAndPlace) {
  const SourceId source = add_source("demo");
  const SourceId other = add_source("other");
  append(keyed(source, "k"));
  EXPECT_EQ(append(keyed(other, "k")).admission, Admission::accepted);
  EventDraft elsewhere = keyed(source, "k");
  elsewhere.event.idempotency_place = "/id";
  EXPECT_EQ(append(std::move(elsewhere)).admission, Admission::accepted);
}

TEST_P(EventLogContract, EventsWithoutAKeyAreNeverDuplicates) {
  const SourceId source = add_source("demo");
  EventDraft one = draft(source);
  EventDraft two = draft(source);
  set_body(one, "same");
  set_body(two, "same");
  EXPECT_EQ(append(std::move(one)).admission, Admission::accepted);
  EXPECT_EQ(append(std::move(two)).admission, Admission::accepted);
}

TEST_P(EventLogContract, KeyAnswersToTheEndOfItsWindow) {
  const SourceId source = add_source("demo");
  const EventId first = append(keyed(source, "k")).event;
  pass(kIdempotencyWindow - milliseconds{1});
  until_done([&] { return upkeep().drop_old_keys(); });
  const Appended late = append(keyed(source, "k"));
  EXPECT_EQ(late.admission, Admission::duplicate);
  EXPECT_EQ(late.event, first);
}

TEST_P(EventLogContract, WindowRunsFromTheFirstReceiptAndNotFromTheLast) {
  const SourceId source = add_source("demo");
  append(keyed(source, "k"));
  pass(hours{20});
  EXPECT_EQ(append(keyed(source, "k")).admission, Admission::duplicate);
  pass(kIdempotencyWindow - hours{20});
  until_done([&] { return upkeep().drop_old_keys(); });
  EXPECT_EQ(append(keyed(source, "k")).admission, Admission::accepted);
}

TEST_P(EventLogContract, KeyIsForgottenAfterItsWindowAndThenClaimedAnew) {
  const SourceId source = add_source("demo");
  append(keyed(source, "k"));
  pass(kIdempotencyWindow);
  until_done([&] { return upkeep().drop_old_keys(); });
  const Appended anew = append(keyed(source, "k"));
  EXPECT_EQ(anew.admission, Admission::accepted);
  EXPECT_EQ(append(keyed(source, "k")).event, anew.event);
}

TEST_P(EventLogContract, KeySurvivesARestart) {
  const SourceId source = add_source("demo");
  const EventId first = append(keyed(source, "k")).event;
  reopen();
  EXPECT_EQ(append(keyed(source, "k")).event, first);
}

TEST_P(EventLogContract, KeyOutlivesItsEventsRetention) {
  const SourceId source = add_source("demo");
  const Appended first = append(keyed(source, "k"));
  pass(hours{1});
  EXPECT_EQ(sweep_all({.finished = Millis{0}, .dead = Millis{0}}), 1);
  const Appended second = append(keyed(source, "k"));
  EXPECT_EQ(second.admission, Admission::duplicate);
  EXPECT_EQ(second.event, first.event);
}

TEST_P(EventLogContract, RandomCopiesAreAnsweredAsAModelSays) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("GRAPNEL_SEED=" + std::to_string(seed));
  SeededRandom random(seed);
  const SourceId source = add_source("demo");
  std::map<std::string, EventId> model;
  for (int round = 0; round < 40; ++round) {
    std::vector<EventDraft> drafts;
    std::vector<EventId> expected;
    for (std::uint64_t i = 0, size = 1 + random.below(8); i < size; ++i) {
      const std::string key = "k" + std::to_string(random.below(60));
      drafts.push_back(keyed(source, key));
      expected.push_back(model.emplace(key, drafts.back().event.id).first->second);
    }
    const auto got = append_all(drafts);
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(got[i].event, expected[i]) << "round " << round;
      ASSERT_EQ(got[i].admission == Admission::accepted, expected[i] == drafts[i].event.id);
    }
    if (random.below(10) == 0) reopen();
  }
}

// --- plans and definitions that changed meanwhile

TEST_P(EventLogContract, StalePlanStoresNothingAndClaimsNoKey) {
  const SourceId source = add_source("demo");
  EventDraft stale = keyed(source, "k");
  const ActionId id = add_action(source, "one");
  EXPECT_EQ(append(std::move(stale)).admission, Admission::stale_plan);
  EXPECT_TRUE(must(catalog().events({})).items.empty());
  EXPECT_EQ(append(keyed(source, "k")).admission, Admission::accepted);
  EXPECT_EQ(book().open_work(id).count(), 1);
}

TEST_P(EventLogContract, CopyBehindAStaleOneInTheSameBatchBecomesTheFirst) {
  const SourceId source = add_source("demo");
  std::vector<EventDraft> drafts;
  drafts.push_back(keyed(source, "k"));
  add_action(source, "one");
  drafts.push_back(keyed(source, "k"));
  const auto got = append_all(std::move(drafts));
  EXPECT_EQ(got[0].admission, Admission::stale_plan);
  EXPECT_EQ(got[1].admission, Admission::accepted);
}

TEST_P(EventLogContract, DuplicateNeedsNoFreshPlan) {
  const SourceId source = add_source("demo");
  const EventId first = append(keyed(source, "k")).event;
  EventDraft copy = keyed(source, "k");
  add_action(source, "one");
  const Appended got = append(std::move(copy));
  EXPECT_EQ(got.admission, Admission::duplicate);
  EXPECT_EQ(got.event, first);
}

TEST_P(EventLogContract, SourceThatIsNotThereOrDeletingTakesNothing) {
  EXPECT_EQ(append(draft(make_id<SourceId>())).admission, Admission::source_gone);
  const SourceId source = add_source("demo");
  change_source(source, [](Source& s) { s.deleting = true; });
  EXPECT_EQ(append(draft(source)).admission, Admission::source_gone);
  EXPECT_TRUE(must(catalog().events({})).items.empty());
}

// --- bodies and reading

TEST_P(EventLogContract, LargeBodyLivesInItsFileAndReadsBackOverRestarts) {
  const SourceId source = add_source("demo");
  std::string body(kBodyInlineBytesMax + 12'345, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 % 251);
  EventDraft made = draft(source);
  set_body(made, "");
  made.event.body_size = body.size();
  made.event.body_sha256 = crypto::sha256(body);
  made.body_file = must(log().write_body(std::make_shared<const std::string>(body)));
  const Seq seq = append(std::move(made)).seq;
  EXPECT_EQ(read(seq).body, body);
  reopen();
  reopen();
  EXPECT_EQ(read(seq).body, body);
  EXPECT_EQ(read(seq).body_size, body.size());
}

TEST_P(EventLogContract, BodyFileThatNoDraftNamesHurtsNobody) {
  const SourceId source = add_source("demo");
  must(log().write_body(std::make_shared<const std::string>(kBodyInlineBytesMax + 1, 'x')));
  reopen();
  reopen();
  EXPECT_EQ(append(draft(source)).admission, Admission::accepted);
}

TEST_P(EventLogContract, ReadAnswersInTheOrderAskedWithNullForWhatIsNotThere) {
  const SourceId source = add_source("demo");
  const Appended one = append(draft(source));
  const Appended two = append(draft(source));
  const auto got = must(log().read({two.seq, two.seq + 1'000, one.seq, two.seq}));
  ASSERT_EQ(got.size(), 4U);
  EXPECT_EQ((*got[0])->id, two.event);
  ASSERT_TRUE(got[1]);
  EXPECT_EQ(*got[1], nullptr);
  EXPECT_EQ((*got[2])->id, one.event);
  EXPECT_EQ((*got[3])->id, two.event);
}

TEST_P(EventLogContract, RetainedAwayEventReadsAsNull) {
  const SourceId source = add_source("demo");
  const Seq seq = append(draft(source)).seq;
  pass(hours{1});
  EXPECT_EQ(sweep_all({.finished = Millis{0}, .dead = Millis{0}}), 1);
  const auto got = must(log().read({seq}));
  ASSERT_TRUE(got.at(0));
  EXPECT_EQ(*got[0], nullptr);
}

TEST_P(EventLogContract, DamagedBodyIsToldInItsPlaceAlone) {
  const SourceId source = add_source("demo");
  EventDraft bad = draft(source);
  bad.event.body_sha256[0] ^= 1;
  const Seq damaged = append(std::move(bad)).seq;
  const Appended good = append(draft(source));
  const auto got = must(log().read({damaged, good.seq}));
  ASSERT_FALSE(got[0]);
  EXPECT_EQ(got[0].error().code, errc::body_damaged);
  ASSERT_TRUE(got[1]);
  EXPECT_EQ((*got[1])->id, good.event);
}

TEST_P(EventLogContract, RestartKeepsEveryAcknowledgedEventAndGoesOnCounting) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  std::vector<Appended> made;
  for (int i = 0; i < 10; ++i) made.push_back(append(draft(source)));
  reopen();
  for (const Appended& one : made) EXPECT_EQ(read(one.seq).id, one.event);
  EXPECT_EQ(book().open_work(id).pending, 10);
  EXPECT_GT(append(draft(source)).seq, made.back().seq);
}

}  // namespace
}  // namespace grapnel::contract
