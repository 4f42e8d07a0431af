#include "drivers/sqlite/lease.h"

#include <algorithm>

#include "drivers/sqlite/rows.h"
#include "drivers/sqlite/transitions.h"

namespace grapnel::sqlite {
namespace {

using model::DeliveryState;

struct Due {
  Time due;
  model::Seq seq = 0;
};

/// The earliest of one state, at most `limit`; waiting ones (due never) are left out. The state is
/// written out, because a partial index is found by it.
Result<> find_due(Connection& db, std::string_view sql, std::int64_t action, int limit,
                  std::vector<Due>& out) {
  auto query = db.query(sql);
  query.bind(action, kNever, limit);
  for (;;) {
    const auto row = query.next();
    if (!row) return fail(row.error());
    if (!*row) return {};
    out.push_back({.due = query.time(0), .seq = query.integer(1)});
  }
}

Result<model::Lease> lease_delivery(Transaction& tx, std::int64_t action, model::Seq seq) {
  model::Lease lease{.fence = tx.next_fence()};
  auto query = tx.db().query(GRAPNEL_SQLITE_DELIVERY_SELECT "WHERE d.seq = ?1");
  const auto row = query.bind(seq).next();
  if (!row) return fail(row.error());
  lease.delivery = read_delivery(query);
  const auto bytes = static_cast<std::int64_t>(lease.delivery.body_size);
  tx.count_open(action, lease.delivery.state, -1, bytes);
  tx.count_open(action, DeliveryState::running, +1, bytes);
  lease.delivery.state = DeliveryState::running;
  auto update = tx.db().query("UPDATE deliveries SET state = 1, fence = ?2 WHERE seq = ?1");
  if (auto done = update.bind(seq, lease.fence).run(); !done) return fail(std::move(done.error()));
  return lease;
}

}  // namespace

Result<> lease_one(Transaction& tx, const model::LeaseWish& wish, model::LeaseBatch& batch) {
  const auto action = tx.registry().find_action(wish.action);
  if (!action || action->deleting) {
    batch.next_due.emplace_back(wish.action, std::nullopt);
    return {};
  }
  const std::int64_t key = tx.action_key(wish.action);
  // One more than wished for: when the next one is due.
  const int limit = std::max(0, wish.count) + 1;
  std::vector<Due> due;
  auto done = find_due(tx.db(),
                       "SELECT due_ms, seq FROM deliveries INDEXED BY deliveries_open WHERE action "
                       "= ?1 AND state = 0 AND due_ms < ?2"
                       " ORDER BY due_ms LIMIT ?3",
                       key, limit, due);
  if (done) {
    done = find_due(tx.db(),
                    "SELECT due_ms, seq FROM deliveries INDEXED BY deliveries_open WHERE action = "
                    "?1 AND state = 2 AND due_ms < ?2"
                    " ORDER BY due_ms LIMIT ?3",
                    key, limit, due);
  }
  if (!done) return done;
  std::ranges::sort(due, {}, [](const Due& one) { return std::pair(one.due, one.seq); });
  std::optional<Time> next;
  int leased = 0;
  for (const auto& one : due) {
    if (one.due > tx.now() || leased == wish.count) {
      next = one.due;
      break;
    }
    auto lease = lease_delivery(tx, key, one.seq);
    if (!lease) return fail(std::move(lease.error()));
    batch.leases.push_back(std::move(*lease));
    ++leased;
  }
  batch.next_due.emplace_back(wish.action, next);
  return {};
}

}  // namespace grapnel::sqlite
