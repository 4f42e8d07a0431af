#include "drivers/sqlite/order.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/schema.h"
#include "drivers/sqlite/transitions.h"

namespace grapnel::sqlite {
namespace {

constexpr std::string_view kReleasePrefix = "release-";

std::string release_key(std::int64_t action) { return fmt::format("{}{}", kReleasePrefix, action); }

/// One is open and does not wait.
Result<bool> is_busy(Connection& db, std::int64_t order_key) {
  auto query = db.query(
      "SELECT EXISTS(SELECT 1 FROM deliveries INDEXED BY deliveries_order WHERE order_key = ?1 AND "
      "state = 1)"
      " OR EXISTS(SELECT 1 FROM deliveries INDEXED BY deliveries_order WHERE order_key = ?1 AND "
      "state = 2)"
      " OR EXISTS(SELECT 1 FROM deliveries INDEXED BY deliveries_order WHERE order_key = ?1 AND "
      "state = 0 AND waits = 0)");
  const auto row = query.bind(order_key).next();
  if (!row) return fail(row.error());
  return query.flag(0);
}

/// A dead one that blocks stands before `stand`.
Result<bool> is_blocked(Connection& db, std::int64_t order_key, model::Seq stand) {
  auto query = db.query(
      "SELECT 1 FROM deliveries INDEXED BY deliveries_order WHERE order_key = ?1 AND state = 4 AND "
      "stand_seq < ?2 LIMIT 1");
  return query.bind(order_key, stand).next();
}

}  // namespace

Result<bool> must_wait(Transaction& tx, std::int64_t order_key, model::Seq stand,
                       model::OnDead on_dead) {
  const auto busy = is_busy(tx.db(), order_key);
  if (!busy || *busy || on_dead == model::OnDead::go_on) return busy;
  return is_blocked(tx.db(), order_key, stand);
}

Result<> free_next(Transaction& tx, std::int64_t order_key, std::int64_t action) {
  const auto busy = is_busy(tx.db(), order_key);
  if (!busy) return fail(busy.error());
  if (*busy) return {};
  auto query = tx.db().query(
      "SELECT seq, stand_seq FROM deliveries INDEXED BY deliveries_order WHERE order_key = ?1 AND "
      "state = 0 AND waits = 1"
      " ORDER BY stand_seq, seq LIMIT 1");
  const auto row = query.bind(order_key).next();
  if (!row) return fail(row.error());
  if (!*row) return {};
  const model::Seq seq = query.integer(0);
  const auto definition = tx.action(action);
  if (definition && definition->on_dead == model::OnDead::block) {
    const auto blocked = is_blocked(tx.db(), order_key, query.integer(1));
    if (!blocked) return fail(blocked.error());
    if (*blocked) return {};
  }
  auto update = tx.db().query("UPDATE deliveries SET waits = 0, due_ms = ?2 WHERE seq = ?1");
  if (auto done = update.bind(seq, tx.now()).run(); !done) return done;
  tx.hint(action, tx.now());
  return {};
}

Result<> unblock(Connection& db, std::int64_t order_key, model::Seq stand) {
  auto query = db.query(
      "UPDATE deliveries INDEXED BY deliveries_order SET order_key = NULL WHERE order_key = ?1 AND "
      "state = 4 AND stand_seq = ?2");
  return query.bind(order_key, stand).run();
}

Result<> note_releases(Transaction& tx, const model::RegistrySnapshot& before) {
  for (const auto& [id, entry] : tx.registry().sources) {
    if (before.find_source(id) == entry) continue;
    for (const auto& action : entry->actions) {
      const auto former = before.find_action(action->id);
      const bool released = former && former->on_dead == model::OnDead::block &&
                            action->on_dead == model::OnDead::go_on;
      if (!released) continue;
      const std::int64_t key = tx.action_key(action->id);
      if (auto done = write_meta(tx.db(), release_key(key), 1); !done) return done;
      tx.release_order(key);
    }
  }
  return {};
}

Result<std::vector<std::int64_t>> pending_releases(Connection& db) {
  std::vector<std::int64_t> actions;
  auto query = db.query("SELECT key FROM meta WHERE key >= 'release-' AND key < 'release.'");
  for (;;) {
    const auto row = query.next();
    if (!row) return fail(row.error());
    if (!*row) return actions;
    const std::string_view text = query.text(0).substr(kReleasePrefix.size());
    std::int64_t action = 0;
    std::from_chars(text.data(), text.data() + text.size(), action);
    actions.push_back(action);
  }
}

Result<> OrderRelease::run(Transaction& tx) {
  struct Waiting {
    std::int64_t body_size;
    model::Seq seq;
    std::int64_t order_key;
  };
  std::vector<Waiting> rows;
  auto query = tx.db().query(
      "SELECT body_size, seq, order_key FROM deliveries INDEXED BY deliveries_open WHERE action = "
      "?1 AND state = 0"
      " AND due_ms = ?2 AND (body_size, seq) > (?3, ?4) ORDER BY body_size, seq LIMIT ?5");
  query.bind(from_.action, kNever, from_.body_size, from_.seq, kStepRows);
  for (;;) {
    const auto row = query.next();
    if (!row) return fail(row.error());
    if (!*row) break;
    rows.push_back({query.integer(0), query.integer(1), query.integer(2)});
  }
  for (const auto& row : rows) {
    if (auto done = free_next(tx, row.order_key, from_.action); !done) return done;
  }
  next_.reset();
  if (std::ssize(rows) == kStepRows) {
    next_ = OrderPlace{
        .action = from_.action, .body_size = rows.back().body_size, .seq = rows.back().seq};
    return {};
  }
  auto remove = tx.db().query("DELETE FROM meta WHERE key = ?1");
  const std::string key = release_key(from_.action);
  return remove.bind(key).run();
}

}  // namespace grapnel::sqlite
