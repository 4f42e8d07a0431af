#include "drivers/sqlite/transaction.h"

#include <algorithm>
#include <bit>

namespace grapnel::sqlite {

Result<std::shared_ptr<const RowKeys>> load_row_keys(Connection& db) {
  auto keys = std::make_shared<RowKeys>();
  auto sources = db.query("SELECT pk, id FROM sources");
  for (;;) {
    const auto row = sources.next();
    if (!row) return fail(row.error());
    if (!*row) break;
    const auto id = sources.id<model::SourceId>(1);
    keys->sources[id] = sources.integer(0);
    keys->source_ids[sources.integer(0)] = id;
  }
  auto actions = db.query("SELECT pk, id FROM actions");
  for (;;) {
    const auto row = actions.next();
    if (!row) return fail(row.error());
    if (!*row) break;
    const auto id = actions.id<model::ActionId>(1);
    keys->actions[id] = actions.integer(0);
    keys->action_ids[actions.integer(0)] = id;
  }
  return keys;
}

RowKeys& Transaction::own_keys() {
  if (!own_keys_) {
    own_keys_ = std::make_shared<RowKeys>(*keys_);
    keys_ = own_keys_;
  }
  return *own_keys_;
}

void Transaction::add_source_key(model::SourceId id, std::int64_t key) {
  RowKeys& keys = own_keys();
  keys.sources[id] = key;
  keys.source_ids[key] = id;
}

void Transaction::add_action_key(model::ActionId id, std::int64_t key) {
  RowKeys& keys = own_keys();
  keys.actions[id] = key;
  keys.action_ids[key] = id;
}

std::int64_t Transaction::source_key(model::SourceId id) const {
  const auto at = keys_->sources.find(id);
  return at == keys_->sources.end() ? 0 : at->second;
}

std::int64_t Transaction::action_key(model::ActionId id) const {
  const auto at = keys_->actions.find(id);
  return at == keys_->actions.end() ? 0 : at->second;
}

model::ActionPtr Transaction::action(std::int64_t key) const {
  const auto at = keys_->action_ids.find(key);
  return at == keys_->action_ids.end() ? nullptr : registry_->find_action(at->second);
}

void Transaction::count_open(std::int64_t action, model::DeliveryState state, int sign,
                             std::int64_t bytes) {
  model::OpenWork& work = open_[action];
  if (state == model::DeliveryState::pending) work.pending += sign;
  if (state == model::DeliveryState::running) work.running += sign;
  if (state == model::DeliveryState::retrying) work.retrying += sign;
  work.bytes += sign * bytes;
}

void Transaction::count_held(std::int64_t source, std::int64_t count, std::int64_t bytes) {
  model::HeldWork& work = held_[source];
  work.count += count;
  work.bytes += bytes;
}

model::HeldWork Transaction::held(std::int64_t source) const {
  model::HeldWork sum;
  for (const auto* held : {&state_.held, &held_}) {
    const auto at = held->find(source);
    if (at == held->end()) continue;
    sum.count += at->second.count;
    sum.bytes += at->second.bytes;
  }
  return sum;
}

void Transaction::hint(std::int64_t action, Time due) {
  const auto [at, fresh] = hints_.emplace(action, due);
  if (!fresh) at->second = std::min(at->second, due);
}

void Transaction::note_received(Time received) {
  const Millis lag = now_ > received ? now_ - received : received - now_;
  if (lag <= commit_lag_) return;
  // In powers of two, so that it is seldom written.
  commit_lag_ =
      Millis(static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(lag.count()))));
}

}  // namespace grapnel::sqlite
