#include "drivers/sqlite/catalog.h"

#include <algorithm>
#include <array>
#include <limits>

#include "crypto/digest.h"
#include "drivers/sqlite/catalog_sql.h"
#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/schema.h"
#include "drivers/sqlite/seq_set.h"
#include "model/errors.h"
#include "model/stored_json.h"

namespace grapnel::sqlite {
namespace {

using model::Cursor;
using model::DeliveryState;
using model::Page;
using model::Seq;

constexpr char kEventList = 'e';
constexpr char kDeliveryList = 'd';
constexpr char kDeadList = 'x';
constexpr Seq kEndless = std::numeric_limits<Seq>::max() - 1;
constexpr unsigned kAllStates = 0x3f;

using Keys = std::vector<std::int64_t>;

constexpr unsigned bit(DeliveryState state) { return 1U << static_cast<unsigned>(state); }
bool among(const Keys& keys, std::int64_t key) {
  return std::ranges::find(keys, key) != keys.end();
}

/// What every list does: its budget, its range, its page.
struct Listing {
  Connection& db;
  std::int64_t generation;
  char list;
  int limit;
  Budget budget{.left = kPageSeeksMax};
  Seq most = kEndless;
  Seq least = 0;
};

Result<> start_at(Listing& listing, const std::optional<Cursor>& after) {
  listing.limit = std::clamp(listing.limit, 1, model::kPageMax);
  if (!after) return {};
  if (after->list != listing.list) {
    return fail(model::errc::old_cursor,
                "the cursor belongs to another list; start from the first page");
  }
  if (after->generation != listing.generation) {
    return fail(model::errc::old_cursor,
                "the cursor is from before the store was restored; start from the first page");
  }
  listing.most = after->seq - 1;
  return {};
}

/// Narrows the range to [from, to). `slack` covers times that do not strictly grow with the
/// numbers.
Result<> limit_times(Listing& listing, std::string_view sql, std::optional<Time> from,
                     std::optional<Time> to, Millis slack) {
  const Seq newest = listing.most;
  if (from) {
    const auto first = first_from(listing.db, sql, *from - slack, newest);
    if (!first) return fail(first.error());
    listing.least = *first;
  }
  if (to) {
    const auto first = first_from(listing.db, sql, *to + slack, newest);
    if (!first) return fail(first.error());
    listing.most = std::min(listing.most, *first - 1);
  }
  return {};
}

/// `read(Seq) -> Result<std::optional<Item>>`: nothing where the row is not wanted after all.
template <class Item, class Read>
Result<Page<Item>> fill(Listing& listing, SeqSets sets, const Read& read) {
  Walk walk(std::move(sets), listing.budget, listing.most, listing.least);
  Page<Item> page;
  Seq last = 0;
  for (;;) {
    const auto at = walk.next();
    if (!at) return fail(at.error());
    if (!*at) {
      if (!walk.ended()) page.next = Cursor{listing.generation, listing.list, walk.position() + 1};
      return page;
    }
    --listing.budget.left;
    auto item = read(**at);
    if (!item) return fail(item.error());
    if (!*item) continue;
    if (static_cast<int>(page.items.size()) == listing.limit) {
      page.next = Cursor{listing.generation, listing.list, last};
      return page;
    }
    last = **at;
    page.items.push_back(std::move(**item));
  }
}

template <class IdType>
Result<std::optional<std::int64_t>> key_of(Connection& db, std::string_view sql, const IdType& id) {
  auto query = db.query(sql);
  const auto row = query.bind(id).next();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<std::int64_t>{};
  return std::optional<std::int64_t>(query.integer(0));
}

/// Row keys of the sources that the list is about; nothing: all of them. An empty list: nobody's.
Result<std::optional<Keys>> wanted_sources(Connection& db, const model::SourceScope& scope,
                                           const std::optional<model::SourceId>& source) {
  if (scope.empty() && !source) return std::optional<Keys>{};
  Keys keys;
  std::vector<model::SourceId> ids = scope;
  if (source) {
    const bool allowed = scope.empty() || std::ranges::find(scope, *source) != scope.end();
    ids.assign(allowed ? 1 : 0, *source);
  }
  for (const auto& id : ids) {
    const auto key = key_of(db, sql::kSourceKey, id);
    if (!key) return fail(key.error());
    if (*key) keys.push_back(**key);
  }
  return std::optional<Keys>(std::move(keys));
}

struct ActionRow {
  std::int64_t key = 0;
  std::int64_t source = 0;
};
Result<std::optional<ActionRow>> find_action(Connection& db, model::ActionId id) {
  auto query = db.query(sql::kActionKey);
  const auto row = query.bind(id).next();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<ActionRow>{};
  return std::optional<ActionRow>({query.integer(0), query.integer(1)});
}

/// Row keys of the actions whose deliveries the list is about; nothing: all of them.
Result<std::optional<Keys>> wanted_actions(Connection& db, const std::optional<Keys>& sources,
                                           const std::optional<model::ActionId>& action) {
  Keys keys;
  if (action) {
    const auto row = find_action(db, *action);
    if (!row) return fail(row.error());
    if (*row && (!sources || among(*sources, (*row)->source))) keys.push_back((*row)->key);
    return std::optional<Keys>(std::move(keys));
  }
  if (!sources) return std::optional<Keys>{};
  for (const std::int64_t source : *sources) {
    auto query = db.query(sql::kActionsOfSource);
    query.bind(source);
    for (;;) {
      const auto row = query.next();
      if (!row) return fail(row.error());
      if (!*row) break;
      keys.push_back(query.integer(0));
    }
  }
  return std::optional<Keys>(std::move(keys));
}

std::unique_ptr<SeqSet> union_of(Listing& listing, std::string_view sql, const Keys& keys) {
  SeqSets parts;
  for (const std::int64_t key : keys) {
    parts.push_back(std::make_unique<IndexSet>(listing.db, listing.budget, sql, key));
  }
  if (parts.size() == 1) return std::move(parts.front());
  return std::make_unique<UnionSet>(std::move(parts));
}

std::unique_ptr<SeqSet> all_of(Listing& listing, std::string_view sql) {
  return std::make_unique<IndexSet>(listing.db, listing.budget, sql);
}

/// Numbers of open deliveries in the wanted states; nothing when there are too many to hold.
Result<std::optional<std::vector<Seq>>> open_numbers(Connection& db, unsigned states,
                                                     std::optional<std::int64_t> action) {
  auto query = db.query(action ? sql::kOpenOfAction : sql::kOpenDeliveries);
  action ? query.bind(*action, kOpenListedMax + 1) : query.bind(kOpenListedMax + 1);
  std::vector<Seq> numbers;
  for (int seen = 0;; ++seen) {
    const auto row = query.next();
    if (!row) return fail(row.error());
    if (!*row) return std::optional(std::move(numbers));
    if (seen == kOpenListedMax) return std::optional<std::vector<Seq>>{};
    if (states & (1U << static_cast<unsigned>(query.integer(1))))
      numbers.push_back(query.integer(0));
  }
}

/// The set of deliveries in the wanted states; null where none says it (delivered ones, or very
/// many open ones), so that each row has to be looked at.
Result<std::unique_ptr<SeqSet>> in_states(Listing& listing, unsigned states,
                                          std::optional<std::int64_t> action) {
  if (states & bit(DeliveryState::delivered)) return nullptr;
  SeqSets parts;
  if (states & bit(DeliveryState::dead)) parts.push_back(all_of(listing, sql::kDeadDeliveries));
  if (states & bit(DeliveryState::cancelled))
    parts.push_back(all_of(listing, sql::kCancelledDeliveries));
  constexpr unsigned kOpen =
      bit(DeliveryState::pending) | bit(DeliveryState::running) | bit(DeliveryState::retrying);
  if (states & kOpen) {
    auto numbers = open_numbers(listing.db, states, action);
    if (!numbers) return fail(numbers.error());
    if (!*numbers) return nullptr;
    parts.push_back(std::make_unique<FixedSet>(std::move(**numbers)));
  }
  return std::make_unique<UnionSet>(std::move(parts));
}

Result<Page<model::Event>> list_events(Connection& db, std::int64_t generation,
                                       const model::EventQuery& query) {
  Listing listing{.db = db, .generation = generation, .list = kEventList, .limit = query.limit};
  if (auto done = start_at(listing, query.after); !done) return fail(done.error());
  // Commit times grow with the sequence; received times of two events are each that far from them.
  const auto lag = read_meta(db, kCommitLag);
  if (!lag) return fail(lag.error());
  auto done = limit_times(listing, sql::kEventFrom, query.from, query.to, 2 * Millis(*lag));
  if (!done) return fail(done.error());
  const auto sources = wanted_sources(db, query.scope, query.source);
  if (!sources) return fail(sources.error());
  if (*sources && (*sources)->empty()) return Page<model::Event>{};
  SeqSets sets;
  if (*sources) {
    const bool held = query.fanout == model::FanoutState::held;
    sets.push_back(union_of(listing, held ? sql::kHeldOfSource : sql::kEventsOfSource, **sources));
  } else {
    sets.push_back(all_of(listing, sql::kAllEvents));
  }
  std::optional<int> fanout;
  if (query.fanout) fanout = static_cast<int>(*query.fanout);
  return fill<model::Event>(
      listing, std::move(sets), [&](Seq seq) -> Result<std::optional<model::Event>> {
        auto row = db.query(sql::kEventRow);
        const auto found = row.bind(seq, query.type, fanout, query.from, query.to).next();
        if (!found) return fail(found.error());
        if (!*found) return std::optional<model::Event>{};
        return std::optional(read_event(row));
      });
}

/// False when the event is not one of those sources'.
Result<bool> event_is_of(Connection& db, Seq event, const std::optional<Keys>& sources) {
  if (!sources) return true;
  auto query = db.query(sql::kSourceOfEvent);
  const auto row = query.bind(event).next();
  if (!row) return fail(row.error());
  return *row && among(*sources, query.integer(0));
}

unsigned mask_of(const std::vector<DeliveryState>& states) {
  unsigned mask = 0;
  for (const DeliveryState state : states) mask |= bit(state);
  return mask == 0 ? kAllStates : mask;
}

Result<SeqSets> delivery_sets(Listing& listing, const model::DeliveryQuery& query,
                              unsigned states) {
  SeqSets sets;
  const auto sources = wanted_sources(listing.db, query.scope, query.source);
  if (!sources) return fail(sources.error());
  if (query.event) {
    const auto ours = event_is_of(listing.db, *query.event, *sources);
    if (!ours) return fail(ours.error());
    if (!*ours) return sets;
    sets.push_back(union_of(listing, sql::kDeliveriesOfEvent, {*query.event}));
  }
  std::optional<Keys> actions;
  if (query.action || !query.event) {
    auto wanted = wanted_actions(listing.db, *sources, query.action);
    if (!wanted) return fail(wanted.error());
    actions = std::move(*wanted);
  }
  if (actions && actions->empty()) return SeqSets{};
  if (states != kAllStates && !query.event) {
    std::optional<std::int64_t> one;
    if (actions && actions->size() == 1) one = actions->front();
    auto wanted = in_states(listing, states, one);
    if (!wanted) return fail(wanted.error());
    if (*wanted) sets.push_back(std::move(*wanted));
  }
  if (actions) sets.push_back(union_of(listing, sql::kDeliveriesOfAction, *actions));
  if (sets.empty()) sets.push_back(all_of(listing, sql::kAllDeliveries));
  return sets;
}

Result<Page<model::Delivery>> list_deliveries(Connection& db, std::int64_t generation,
                                              const model::DeliveryQuery& query) {
  Listing listing{.db = db, .generation = generation, .list = kDeliveryList, .limit = query.limit};
  if (auto done = start_at(listing, query.after); !done) return fail(done.error());
  auto done = limit_times(listing, sql::kDeliveryFrom, query.from, query.to, Millis{0});
  if (!done) return fail(done.error());
  const unsigned states = mask_of(query.states);
  auto sets = delivery_sets(listing, query, states);
  if (!sets) return fail(sets.error());
  if (sets->empty()) return Page<model::Delivery>{};
  return fill<model::Delivery>(
      listing, std::move(*sets), [&](Seq seq) -> Result<std::optional<model::Delivery>> {
        auto row = db.query(sql::kDeliveryRow);
        const auto found = row.bind(seq, static_cast<std::int64_t>(states)).next();
        if (!found) return fail(found.error());
        if (!*found) return std::optional<model::Delivery>{};
        return std::optional(read_delivery(row));
      });
}

std::optional<int> reason_number(const model::DeadFilter& filter) {
  if (!filter.reason) return std::nullopt;
  return static_cast<int>(*filter.reason);
}

Result<Page<model::Delivery>> list_dead(Connection& db, std::int64_t generation,
                                        const model::DeadQuery& query) {
  Listing listing{.db = db, .generation = generation, .list = kDeadList, .limit = query.limit};
  if (auto done = start_at(listing, query.after); !done) return fail(done.error());
  const auto& filter = query.filter;
  auto done = limit_times(listing, sql::kDeadFrom, filter.ended_from, filter.ended_to, Millis{0});
  if (!done) return fail(done.error());
  const auto sources = wanted_sources(db, query.scope, filter.source);
  if (!sources) return fail(sources.error());
  const auto actions = wanted_actions(db, *sources, filter.action);
  if (!actions) return fail(actions.error());
  if (*actions && (*actions)->empty()) return Page<model::Delivery>{};
  SeqSets sets;
  sets.push_back(*actions ? union_of(listing, sql::kDeadLettersOfAction, **actions)
                          : all_of(listing, sql::kDeadLetters));
  const auto reason = reason_number(filter);
  return fill<model::Delivery>(listing, std::move(sets),
                               [&](Seq ended) -> Result<std::optional<model::Delivery>> {
                                 auto row = db.query(sql::kDeadRow);
                                 const auto found = row.bind(ended, reason).next();
                                 if (!found) return fail(found.error());
                                 if (!*found) return std::optional<model::Delivery>{};
                                 return std::optional(read_delivery(row));
                               });
}

Result<> load_body(Connection& db, const Bodies& bodies, model::Event& event) {
  auto row = db.query(sql::kBody);
  const auto found = row.bind(event.seq).next();
  if (!found) return fail(found.error());
  if (!*found) return fail(model::errc::body_gone);
  if (row.null(1)) {
    event.body = row.blob(0);
  } else {
    auto body = bodies.read(row.string(1));
    if (!body) return fail(body.error());
    event.body = std::move(*body);
  }
  if (crypto::sha256(event.body) != event.body_sha256) return fail(model::errc::body_damaged);
  return {};
}

/// What count_dead goes through: one entry an action, or one of key 0 for all.
struct DeadCount {
  Keys actions;
  Seq least = 0;
  Seq most = kEndless;
};

Result<DeadCount> plan_count(Connection& db, const model::SourceScope& scope,
                             const model::DeadFilter& filter) {
  Listing listing{.db = db, .generation = 0, .list = kDeadList, .limit = 1};
  auto done = limit_times(listing, sql::kDeadFrom, filter.ended_from, filter.ended_to, Millis{0});
  if (!done) return fail(done.error());
  const auto sources = wanted_sources(db, scope, filter.source);
  if (!sources) return fail(sources.error());
  const auto actions = wanted_actions(db, *sources, filter.action);
  if (!actions) return fail(actions.error());
  return DeadCount{*actions ? **actions : Keys{0}, listing.least, listing.most};
}

struct Counted {
  std::int64_t matching = 0;
  std::optional<Seq> last;  // nothing: no more entries
};

Result<Counted> count_slice(Connection& db, std::int64_t action, Seq above, Seq most,
                            std::optional<int> reason) {
  const std::string_view text =
      action == 0 ? (reason ? sql::kCountDeadReason : sql::kCountDead)
                  : (reason ? sql::kCountDeadOfActionReason : sql::kCountDeadOfAction);
  auto query = db.query(text);
  query.bind(above, most, kCountSliceRows);
  if (action != 0) {
    query.bind(above, most, kCountSliceRows, reason, action);
  } else if (reason) {
    query.bind(above, most, kCountSliceRows, *reason);
  }
  const auto row = query.next();
  if (!row) return fail(row.error());
  Counted out{.matching = query.integer(1), .last = std::nullopt};
  if (query.integer(0) == kCountSliceRows) out.last = query.integer(2);
  return out;
}

}  // namespace

async::Task<Result<Page<model::Event>>> Catalog::events(model::EventQuery query) {
  co_return co_await readers_.read(
      [this, &query](Connection& db) { return list_events(db, generation_, query); });
}

async::Task<Result<std::optional<model::Event>>> Catalog::event(model::EventId id, WithBody body) {
  co_return co_await readers_.read(
      [this, id, body](Connection& db) -> Result<std::optional<model::Event>> {
        auto row = db.query(sql::kEventById);
        const auto found = row.bind(id).next();
        if (!found) return fail(found.error());
        if (!*found) return std::optional<model::Event>{};
        auto event = read_event(row);
        if (body == WithBody::yes) {
          if (auto done = load_body(db, bodies_, event); !done) return fail(done.error());
        }
        return std::optional(std::move(event));
      });
}

async::Task<Result<Page<model::Delivery>>> Catalog::deliveries(model::DeliveryQuery query) {
  co_return co_await readers_.read(
      [this, &query](Connection& db) { return list_deliveries(db, generation_, query); });
}

async::Task<Result<std::optional<model::Delivery>>> Catalog::delivery(model::DeliveryId id) {
  co_return co_await readers_.read([id](Connection& db) -> Result<std::optional<model::Delivery>> {
    auto row = db.query(sql::kDeliveryById);
    const auto found = row.bind(id).next();
    if (!found) return fail(found.error());
    if (!*found) return std::optional<model::Delivery>{};
    return std::optional(read_delivery(row));
  });
}

async::Task<Result<std::vector<model::Attempt>>> Catalog::attempts(Seq delivery) {
  co_return co_await readers_.read(
      [delivery](Connection& db) -> Result<std::vector<model::Attempt>> {
        std::vector<model::Attempt> out;
        auto rows = db.query(sql::kAttempts);
        rows.bind(attempt_key(delivery, 0), attempt_key(delivery + 1, 0) - 1, kAttemptsListedMax);
        for (;;) {
          const auto row = rows.next();
          if (!row) return fail(row.error());
          if (!*row) return out;
          out.push_back(read_attempt(rows));
        }
      });
}

async::Task<Result<Page<model::Delivery>>> Catalog::dead_letters(model::DeadQuery query) {
  co_return co_await readers_.read(
      [this, &query](Connection& db) { return list_dead(db, generation_, query); });
}

async::Task<Result<std::int64_t>> Catalog::count_dead(model::SourceScope scope,
                                                      model::DeadFilter filter) {
  const auto plan = co_await readers_.read(
      [&scope, &filter](Connection& db) { return plan_count(db, scope, filter); });
  if (!plan) co_return fail(plan.error());
  const auto reason = reason_number(filter);
  std::int64_t sum = 0;
  for (const std::int64_t action : plan->actions) {
    for (std::optional<Seq> above = plan->least - 1; above;) {
      const auto counted = co_await readers_.read([&, action](Connection& db) {
        return count_slice(db, action, *above, plan->most, reason);
      });
      if (!counted) co_return fail(counted.error());
      sum += counted->matching;
      above = counted->last;
    }
  }
  co_return sum;
}

async::Task<Result<std::optional<model::Action>>> Catalog::action_at(model::ActionId id,
                                                                     model::Revision revision) {
  co_return co_await readers_.read(
      [id, revision](Connection& db) -> Result<std::optional<model::Action>> {
        const auto key = key_of(db, sql::kActionKey, id);
        if (!key) return fail(key.error());
        if (!*key) return std::optional<model::Action>{};
        auto row = db.query(sql::kActionAt);
        const auto found = row.bind(**key, revision).next();
        if (!found) return fail(found.error());
        if (!*found) return std::optional<model::Action>{};
        auto action = model::action_from_stored(row.text(0));
        if (!action) return fail(action.error());
        return std::optional(std::move(*action));
      });
}

}  // namespace grapnel::sqlite
