// Catalog: pages that neither lose nor repeat a row, filters, and what a limited key may see.
#include <gmock/gmock.h>

#include <set>

#include "contract/store_contract.h"

namespace grapnel::contract {
namespace {

using namespace model;
using model::errc;
using std::chrono::hours;
using Kind = Settlement::Kind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<EventId> ids_of(const Page<Event>& page) {
  std::vector<EventId> out;
  for (const Event& event : page.items) out.push_back(event.id);
  return out;
}
std::vector<DeliveryId> ids_of(const std::vector<Delivery>& deliveries) {
  std::vector<DeliveryId> out;
  for (const Delivery& delivery : deliveries) out.push_back(delivery.id);
  return out;
}

TEST_P(CatalogContract, EventsAreListedNewestFirstWithoutBodies) {
  const SourceId source = add_source("demo");
  std::vector<EventId> made;
  for (int i = 0; i < 3; ++i) made.insert(made.begin(), append(draft(source)).event);
  const Page<Event> page = must(catalog().events({}));
  EXPECT_EQ(ids_of(page), made);
  EXPECT_EQ(page.next, std::nullopt);
  for (const Event& event : page.items) {
    EXPECT_TRUE(event.body.empty());
    EXPECT_GT(event.body_size, 0U);
    EXPECT_EQ(event.type, "test");
  }
}

TEST_P(CatalogContract, PagesStayInPlaceWhileRowsAreAdded) {
  const SourceId source = add_source("demo");
  std::vector<EventId> expected;
  for (int i = 0; i < 23; ++i) expected.insert(expected.begin(), append(draft(source)).event);
  std::vector<EventId> got;
  EventQuery query{.limit = 5};
  for (int pages = 0; pages < 50; ++pages) {
    const Page<Event> page = must(catalog().events(query));
    EXPECT_LE(page.items.size(), 5U);
    for (const EventId id : ids_of(page)) got.push_back(id);
    if (!page.next) break;
    query.after = Cursor::parse(page.next->str()).value();  // as a user sends it back
    append(draft(source));
    if (pages == 2) reopen();
  }
  EXPECT_EQ(got, expected);
}

TEST_P(CatalogContract, DeliveriesPageWithoutLossWhileTheirStatesChange) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  std::vector<DeliveryId> expected;
  for (int i = 0; i < 11; ++i) expected.insert(expected.begin(), deliver_new(source));
  std::vector<DeliveryId> got;
  DeliveryQuery query{.limit = 3};
  do {
    const auto page = must(catalog().deliveries(query));
    for (const DeliveryId each : ids_of(page.items)) got.push_back(each);
    query.after = page.next;
    for (const Lease& lease : lease_batch(id, 2).leases) settle(lease, Kind::delivered);
  } while (query.after);
  EXPECT_EQ(got, expected);
}

TEST_P(CatalogContract, DeadLettersPageByTheOrderInWhichTheyDied) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (int i = 0; i < 7; ++i) deliver_new(source);
  auto leases = lease_batch(id, 7).leases;
  std::vector<DeliveryId> expected;
  for (const std::size_t i : {3, 0, 6, 2, 5, 1, 4}) {
    settle(leases.at(i), Kind::dead);
    expected.insert(expected.begin(), leases[i].delivery.id);
  }
  EXPECT_EQ(dead_letters({.limit = 2}), expected);
}

TEST_P(CatalogContract, NewDeadLetterDoesNotMoveAPageThatIsBeingRead) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (int i = 0; i < 4; ++i) delivery_in(source, id, DeliveryState::dead);
  const auto expected = dead_letters();
  const auto first = must(catalog().dead_letters({.limit = 2}));
  delivery_in(source, id, DeliveryState::dead);
  const auto second = must(catalog().dead_letters({.after = first.next, .limit = 9}));
  auto got = ids_of(first.items);
  for (const DeliveryId more : ids_of(second.items)) got.push_back(more);
  EXPECT_EQ(got, expected);
}

TEST_P(CatalogContract, LimitIsHeldWithinItsBounds) {
  const SourceId source = add_source("demo");
  std::vector<EventDraft> drafts;
  for (int i = 0; i < kPageMax + 5; ++i) drafts.push_back(draft(source));
  append_all(std::move(drafts));
  EXPECT_LE(must(catalog().events({.limit = 1'000'000})).items.size(),
            static_cast<std::size_t>(kPageMax));
  EXPECT_EQ(must(catalog().events({})).items.size(), static_cast<std::size_t>(kPageDefault));
}

// --- filters

TEST_P(CatalogContract, EventFiltersAreJoined) {
  const SourceId source = add_source("demo");
  const SourceId other = add_source("other", SourceMode::record);
  const Appended early = append(draft(source));
  pass(hours{1});
  const Time from = now();
  EventDraft typed = draft(source);
  typed.event.type = "special";
  const Appended special = append(std::move(typed));
  const Appended recorded = append(draft(other));
  pass(hours{1});
  const Time to = now();
  const Appended late = append(draft(source));

  const auto list = [&](EventQuery query) { return ids_of(must(catalog().events(query))); };
  EXPECT_THAT(list({.source = other}), ElementsAre(recorded.event));
  EXPECT_THAT(list({.type = "special"}), ElementsAre(special.event));
  EXPECT_THAT(list({.type = "spec"}), IsEmpty());
  EXPECT_THAT(list({.fanout = FanoutState::recorded}), ElementsAre(recorded.event));
  EXPECT_THAT(list({.from = from, .to = to}), ElementsAre(recorded.event, special.event));
  EXPECT_THAT(list({.from = to}), ElementsAre(late.event));
  EXPECT_THAT(list({.to = from}), ElementsAre(early.event));
  EXPECT_THAT(list({.source = source, .from = from, .to = to}), ElementsAre(special.event));
  EXPECT_THAT(list({.source = make_id<SourceId>()}), IsEmpty());
}

TEST_P(CatalogContract, DeliveryFiltersAreJoined) {
  const SourceId source = add_source("demo");
  const SourceId other = add_source("other");
  const ActionId one = add_action(source, "one");
  const ActionId foreign = add_action(other, "one");
  const DeliveryId done = delivery_in(source, one, DeliveryState::delivered);
  pass(hours{1});
  const Time from = now();
  const DeliveryId dead = delivery_in(source, one, DeliveryState::dead);
  pass(hours{1});
  const Time to = now();
  const DeliveryId elsewhere = deliver_new(other);

  const auto list = [&](DeliveryQuery query) { return ids_of(all_deliveries(query)); };
  EXPECT_THAT(list({.source = other}), ElementsAre(elsewhere));
  EXPECT_THAT(list({.action = one}), ElementsAre(dead, done));
  EXPECT_THAT(list({.action = foreign}), ElementsAre(elsewhere));
  EXPECT_THAT(list({.event = delivery(dead).event_seq}), ElementsAre(dead));
  EXPECT_THAT(list({.states = {DeliveryState::dead}}), ElementsAre(dead));
  EXPECT_THAT(list({.states = {DeliveryState::pending, DeliveryState::delivered}}),
              ElementsAre(elsewhere, done));
  EXPECT_THAT(list({.from = from, .to = to}), ElementsAre(dead));
  EXPECT_THAT(list({.source = other, .states = {DeliveryState::dead}}), IsEmpty());
}

TEST_P(CatalogContract, DeadLettersAreFilteredAndCounted) {
  const SourceId source = add_source("demo");
  const SourceId other = add_source("other");
  const ActionId one = add_action(source, "one");
  const ActionId two = add_action(other, "two");
  const DeliveryId early = delivery_in(source, one, DeliveryState::dead);
  pass(hours{1});
  const Time from = now();
  EventDraft full = draft(source, Birth::dead);
  full.plan.deliveries[0].reason = EndReason::backlog_full;
  const DeliveryId born = append(std::move(full)).deliveries.at(0).id;
  pass(hours{1});
  const Time to = now();
  const DeliveryId foreign = delivery_in(other, two, DeliveryState::dead);
  delivery_in(source, one, DeliveryState::delivered);
  delivery_in(source, one, DeliveryState::cancelled);

  const auto expect = [&](const DeadFilter& filter, const std::vector<DeliveryId>& wanted) {
    EXPECT_EQ(dead_letters({.filter = filter}), wanted);
    EXPECT_EQ(must(catalog().count_dead({}, filter)), static_cast<std::int64_t>(wanted.size()));
  };
  expect({}, {foreign, born, early});
  expect({.source = source}, {born, early});
  expect({.action = two}, {foreign});
  expect({.reason = EndReason::backlog_full}, {born});
  expect({.ended_from = from, .ended_to = to}, {born});
  expect({.ended_from = to}, {foreign});
  expect({.ended_to = from}, {early});
  expect({.source = other, .action = one}, {});
}

// --- single things

TEST_P(CatalogContract, EventComesWithItsBodyWhereItIsWanted) {
  const SourceId source = add_source("demo");
  EventDraft made = draft(source);
  const std::string body = made.event.body;
  const EventId id = append(std::move(made)).event;
  const auto with = must(catalog().event(id, Catalog::WithBody::yes));
  const auto without = must(catalog().event(id, Catalog::WithBody::no));
  ASSERT_TRUE(with && without);
  EXPECT_EQ(with->body, body);
  EXPECT_TRUE(without->body.empty());
  EXPECT_EQ(without->source, source);
  EXPECT_EQ(must(catalog().event(make_id<EventId>(), Catalog::WithBody::yes)), std::nullopt);
}

TEST_P(CatalogContract, DamagedBodyIsAnErrorOnlyWhereItIsWanted) {
  const SourceId source = add_source("demo");
  EventDraft bad = draft(source);
  bad.event.body_sha256[31] ^= 1;
  const EventId id = append(std::move(bad)).event;
  EXPECT_EQ(error_of(catalog().event(id, Catalog::WithBody::yes)), errc::body_damaged);
  EXPECT_TRUE(must(catalog().event(id, Catalog::WithBody::no)));
  EXPECT_EQ(must(catalog().events({})).items.size(), 1U);
}

TEST_P(CatalogContract, UnknownDeliveryIsAbsentAndHasNoAttempts) {
  EXPECT_EQ(must(catalog().delivery(make_id<DeliveryId>())), std::nullopt);
  EXPECT_TRUE(must(catalog().attempts(4'711)).empty());
}

TEST_P(CatalogContract, ActionIsKeptAsItWasAtEachRevision) {
  const SourceId source = add_source("demo");
  const ActionId id =
      add_action(source, "one", [](Action& a) { a.target_url = "https://a.test/"; });
  const Revision first = action(id)->revision;
  change_action(id, [](Action& a) { a.target_url = "https://b.test/"; });
  const Revision second = action(id)->revision;
  reopen();
  const auto was = must(catalog().action_at(id, first));
  const auto is = must(catalog().action_at(id, second));
  ASSERT_TRUE(was && is);
  EXPECT_EQ(was->target_url, "https://a.test/");
  EXPECT_EQ(is->target_url, "https://b.test/");
  EXPECT_EQ(must(catalog().action_at(id, second + 1'000)), std::nullopt);
  EXPECT_EQ(must(catalog().action_at(make_id<ActionId>(), first)), std::nullopt);
}

// --- scope and cursors

TEST_P(CatalogContract, KeyLimitedToOneSourceSeesNothingOfAnother) {
  const SourceId mine = add_source("mine");
  const SourceId theirs = add_source("theirs");
  const ActionId my_action = add_action(mine, "one");
  const ActionId their_action = add_action(theirs, "one");
  const Appended my_event = append(draft(mine));
  const DeliveryId my_dead = delivery_in(mine, my_action, DeliveryState::dead);
  const DeliveryId their_dead = delivery_in(theirs, their_action, DeliveryState::dead);
  const Seq their_event = delivery(their_dead).event_seq;

  const SourceScope scope{mine};
  const auto events = must(catalog().events({.scope = scope})).items;
  EXPECT_EQ(events.size(), 2U);
  for (const Event& event : events) EXPECT_EQ(event.source, mine);
  for (const Delivery& d : all_deliveries({.scope = scope})) EXPECT_EQ(d.source, mine);
  EXPECT_EQ(dead_letters({.scope = scope}), std::vector{my_dead});
  EXPECT_EQ(must(catalog().count_dead(scope, {})), 1);

  // Asking for another's by name gives nothing, not an error that tells of it.
  EXPECT_TRUE(must(catalog().events({.scope = scope, .source = theirs})).items.empty());
  EXPECT_TRUE(all_deliveries({.scope = scope, .source = theirs}).empty());
  EXPECT_TRUE(all_deliveries({.scope = scope, .action = their_action}).empty());
  EXPECT_TRUE(all_deliveries({.scope = scope, .event = their_event}).empty());
  EXPECT_TRUE(dead_letters({.scope = scope, .filter = {.source = theirs}}).empty());
  EXPECT_TRUE(dead_letters({.scope = scope, .filter = {.action = their_action}}).empty());
  EXPECT_EQ(must(catalog().count_dead(scope, {.source = theirs})), 0);

  // By id the caller judges, and has what it needs for that.
  EXPECT_EQ(must(catalog().event(my_event.event, Catalog::WithBody::no))->source, mine);
  EXPECT_EQ(must(catalog().delivery(their_dead))->source, theirs);
}

TEST_P(CatalogContract, ScopeOfSeveralSourcesIsTheirSum) {
  const SourceId one = add_source("one");
  const SourceId two = add_source("two");
  const SourceId three = add_source("three");
  std::set<EventId> expected;
  for (int i = 0; i < 5; ++i) {
    expected.insert(append(draft(one)).event);
    append(draft(two));
    expected.insert(append(draft(three)).event);
  }
  std::vector<EventId> got;
  EventQuery query{.scope = {one, three}, .limit = 3};
  do {
    const auto page = must(catalog().events(query));
    for (const EventId id : ids_of(page)) got.push_back(id);
    query.after = page.next;
  } while (query.after);
  EXPECT_EQ(got.size(), expected.size());
  EXPECT_EQ(std::set<EventId>(got.begin(), got.end()), expected);
}

TEST_P(CatalogContract, CursorOfAnotherListOrGenerationIsRefused) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (int i = 0; i < 3; ++i) delivery_in(source, id, DeliveryState::dead);
  const auto event = must(catalog().events({.limit = 1})).next;
  const auto plain = must(catalog().deliveries({.limit = 1})).next;
  const auto dead = must(catalog().dead_letters({.limit = 1})).next;
  ASSERT_TRUE(event && plain && dead);
  for (const auto& wrong : {plain, dead}) {
    EXPECT_EQ(error_of(catalog().events({.after = wrong})), errc::old_cursor);
  }
  for (const auto& wrong : {event, dead}) {
    EXPECT_EQ(error_of(catalog().deliveries({.after = wrong})), errc::old_cursor);
  }
  for (const auto& wrong : {event, plain}) {
    EXPECT_EQ(error_of(catalog().dead_letters({.after = wrong})), errc::old_cursor);
  }
  auto old = event;
  --old->generation;
  EXPECT_EQ(error_of(catalog().events({.after = old})), errc::old_cursor);
  reopen();
  EXPECT_TRUE(run(catalog().events({.after = event}))) << "a restart is no restore";
}

}  // namespace
}  // namespace grapnel::contract
