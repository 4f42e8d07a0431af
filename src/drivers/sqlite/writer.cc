#include "drivers/sqlite/writer.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>

#include "drivers/sqlite/bodies.h"
#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/files.h"
#include "drivers/sqlite/order.h"
#include "drivers/sqlite/recovery.h"
#include "drivers/sqlite/schema.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

using SteadyClock = std::chrono::steady_clock;

void merge_hint(std::vector<model::WorkHint>& hints, const model::WorkHint& hint) {
  const auto same = [&hint](const model::WorkHint& known) { return known.action == hint.action; };
  const auto at = std::ranges::find_if(hints, same);
  if (at == hints.end()) {
    hints.push_back(hint);
  } else {
    at->due = std::min(at->due, hint.due);
  }
}

/// An error of one command as its caller sees it.
Error for_caller(const Error& error) {
  if (error.code != errc::bad_statement) return error;
  return {model::errc::store_unavailable, error.context};
}

}  // namespace

Writer::Writer(Files& files, Bodies& bodies, StallWatch& stalls, const StoreClock& clock,
               async::Executor loop, std::unique_ptr<Connection> db, WriterState state,
               const StoreOptions& options)
    : files_(files),
      bodies_(bodies),
      stalls_(stalls),
      clock_(clock),
      loop_(std::move(loop)),
      wal_bytes_max_(options.wal_bytes_max),
      on_commit_(options.on_commit),
      db_(std::move(db)),
      state_(std::move(state)),
      room_at_(options.wal_bytes_max),
      registry_(state_.registry),
      seq_(state_.seq),
      side_(std::make_shared<LoopSide>()) {
  for (const auto& [key, work] : state_.open) publish_open(key, work);
  for (const auto& [key, held] : state_.held) publish_held(key, held);
}

Writer::~Writer() { stop(); }

void Writer::start() {
  if (auto hints = all_waiting(*db_, state_)) side_->missed = std::move(*hints);
  if (auto waiting = pending_releases(*db_)) releases_ = std::move(*waiting);
  thread_ = std::thread([this] { work(); });
}

Result<> Writer::run_alone(const std::function<Result<>(Transaction&)>& function) {
  struct Alone final : Command {
    explicit Alone(const std::function<Result<>(Transaction&)>& f) : function(f) {}
    Result<> run(Transaction& tx) override { return function(tx); }
    void finish(const Result<>&) override {}
    const std::function<Result<>(Transaction&)>& function;
  };
  Alone command(function);
  const std::array<Command*, 1> group{&command};
  Outcome outcome;
  return run_transaction(group, outcome);
}

void Writer::stop() {
  side_->ended = true;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (!db_) return;
  call_closing();
  // Leaves the next start nothing to read. A failure costs it that time, no more.
  if (!failure()) (void)db_->checkpoint(Connection::Checkpoint::truncate, kRestartWaitMax);
  db_.reset();
}

Result<> Writer::submit(Command& command) {
  if (!command.between()) {  // which ends a backup: it must come through
    if (auto stalled = stalls_.stalled()) return fail(std::move(*stalled));
  }
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return fail(model::errc::store_unavailable, "the store is closing");
    const bool full = queue_.size() >= kQueuedCommandsMax ||
                      (!queue_.empty() && queued_bytes_ + command.bytes > kQueuedBytesMax);
    if (full) return fail(model::errc::store_unavailable, "too many writes wait for the store");
    queue_.push_back(&command);
    queued_bytes_ += command.bytes;
  }
  changed_.notify_one();
  return {};
}

void Writer::on_close(std::function<void()> closing) {
  const std::scoped_lock lock(mutex_);
  closing_ = std::move(closing);
}

void Writer::call_closing() {
  const std::scoped_lock lock(mutex_);
  if (closing_) closing_();
}

void Writer::watch_registry(std::function<void(model::SnapshotPtr)> watcher) {
  side_->registry = std::move(watcher);
}

void Writer::watch_work(std::function<void(const std::vector<model::WorkHint>&)> watcher) {
  side_->work = std::move(watcher);
  boost::asio::post(loop_, [side = side_] {
    if (side->missed.empty() || side->ended) return;
    const auto missed = std::exchange(side->missed, {});
    side->work(missed);
  });
}

model::OpenWork Writer::open_work(model::ActionId action) const {
  const std::scoped_lock lock(published_mutex_);
  const auto at = open_.find(action);
  return at == open_.end() ? model::OpenWork{} : at->second;
}

model::HeldWork Writer::held_work(model::SourceId source) const {
  const std::scoped_lock lock(published_mutex_);
  const auto at = held_.find(source);
  return at == held_.end() ? model::HeldWork{} : at->second;
}

model::SnapshotPtr Writer::registry() const {
  const std::scoped_lock lock(published_mutex_);
  return registry_;
}

model::Seq Writer::newest_seq() const {
  const std::scoped_lock lock(published_mutex_);
  return seq_;
}

model::StoreHealth Writer::health() const {
  auto why = failure();
  if (!why) why = stalls_.stalled();
  return {.writable = !why,
          .code = why ? why->code : std::error_code(),
          .reason = why ? why->message() : "",
          .wal_bytes = files_.watch().wal_bytes(),
          .epoch = state_.epoch};
}

StoreCounters Writer::counters() const {
  const std::scoped_lock lock(published_mutex_);
  return counters_;
}

// The writer's thread.

void Writer::work() {
  std::vector<Command*> batch;
  while (wait_for_work(batch)) {
    steps_.emplace(stalls_);
    if (!failure() && files_.watch().sync_failed()) {
      note_failure(
          {model::errc::store_unavailable, "a sync of the store failed; it is being reopened"});
    }
    if (failure() && SteadyClock::now() >= probe_at_) probe();
    run_batch(batch);
    if (!failure()) {
      release_orders();
      make_room();
      files_.note_growth();
    }
    steps_.reset();
  }
}

bool Writer::wait_for_work(std::vector<Command*>& batch) {
  batch.clear();
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return stopping_ || !queue_.empty(); };
  if (failure()) {
    changed_.wait_until(lock, probe_at_, ready);
  } else if (releases_.empty()) {
    changed_.wait(lock, ready);
  }
  std::size_t bytes = 0;
  while (!queue_.empty() && batch.size() < kTransactionCommandsMax &&
         (batch.empty() || bytes + queue_.front()->bytes <= kTransactionBytesMax)) {
    bytes += queue_.front()->bytes;
    batch.push_back(queue_.front());
    queue_.pop_front();
  }
  queued_bytes_ -= bytes;
  return !(stopping_ && batch.empty());
}

void Writer::run_batch(Group batch) {
  while (!batch.empty()) {
    if (const auto why = failure()) return refuse(batch, *why);
    if (batch.front()->between()) {
      run_between(*batch.front());
      batch = batch.subspan(1);
      continue;
    }
    const auto end =
        std::ranges::find_if(batch, [](const Command* command) { return command->between(); });
    const auto size = static_cast<std::size_t>(end - batch.begin());
    run_group(batch.first(size));
    batch = batch.subspan(size);
  }
}

void Writer::run_between(Command& command) {
  steps_->next();
  Outcome outcome;
  auto done = command.run_between(*db_);
  if (!done) done = fail(for_caller(done.error()));
  outcome.answers.emplace_back(&command, std::move(done));
  tell(std::move(outcome));
}

void Writer::run_group(Group group) {
  Outcome outcome;
  const auto done = run_transaction(group, outcome);
  if (done) return tell(std::move(outcome));
  if (is_store_failure(done.error())) {
    note_failure(done.error());
    return refuse(group, done.error());
  }
  if (group.size() == 1) return refuse(group, for_caller(done.error()));
  // Somebody in it is to blame: each for itself.
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (const auto why = failure()) return refuse(group.subspan(i), *why);
    run_group(group.subspan(i, 1));
  }
}

Result<> Writer::run_transaction(Group group, Outcome& outcome) {
  if (steps_) steps_->next();
  const auto began = std::chrono::steady_clock::now();
  Transaction tx(*db_, state_, clock_.now());
  auto done = db_->begin();
  for (auto at = group.begin(); done && at != group.end(); ++at) done = (*at)->run(tx);
  if (done) done = finish_transaction(tx);
  if (!done) {
    db_->rollback();
    return done;
  }
  CommitFigures figures{.took = std::chrono::steady_clock::now() - began};
  absorb(tx, outcome);
  for (Command* command : group) {
    figures.bytes += command->bytes;
    outcome.answers.emplace_back(command, Result<>{});
  }
  if (on_commit_) on_commit_(figures);
  return {};
}

Result<> Writer::finish_transaction(Transaction& tx) {
  if (tx.registry_ != state_.registry) {
    auto done = note_releases(tx, *state_.registry);
    if (!done) return done;
  }
  auto done = write_meta(*db_, "clock", tx.now_.time_since_epoch().count());
  if (done) done = write_meta(*db_, "seq", tx.next_);
  if (done && tx.commit_lag_ != state_.commit_lag) {
    done = write_meta(*db_, kCommitLag, tx.commit_lag_.count());
  }
  if (done) done = db_->commit();
  return done;
}

void Writer::absorb(Transaction& tx, Outcome& outcome) {
  state_.seq = tx.next_;
  state_.fence = tx.fence_;
  state_.commit_lag = tx.commit_lag_;
  state_.keys = tx.keys_;
  if (tx.registry_ != state_.registry) outcome.registry = tx.registry_;
  state_.registry = tx.registry_;
  std::ranges::copy(tx.releases_, std::back_inserter(releases_));
  for (const auto& [key, due] : tx.hints_) {
    const auto action = state_.keys->action_ids.find(key);
    if (action == state_.keys->action_ids.end()) continue;
    outcome.hints.push_back({.action = action->second, .due = due});
  }
  for (const auto& file : tx.unlinked_) bodies_.remove(file);

  const std::scoped_lock lock(published_mutex_);
  ++counters_.commits;
  seq_ = state_.seq;
  registry_ = state_.registry;
  for (const auto& [key, change] : tx.open_) {
    model::OpenWork& work = state_.open[key];
    work.pending += change.pending;
    work.running += change.running;
    work.retrying += change.retrying;
    work.bytes += change.bytes;
    publish_open(key, work);
  }
  for (const auto& [key, change] : tx.held_) {
    model::HeldWork& held = state_.held[key];
    held.count += change.count;
    held.bytes += change.bytes;
    publish_held(key, held);
  }
}

// A key without a definition comes from a damaged table only; nobody can ask for it.
void Writer::publish_open(std::int64_t key, const model::OpenWork& work) {
  const auto action = state_.keys->action_ids.find(key);
  if (action != state_.keys->action_ids.end()) open_[action->second] = work;
}

void Writer::publish_held(std::int64_t key, const model::HeldWork& held) {
  const auto source = state_.keys->source_ids.find(key);
  if (source != state_.keys->source_ids.end()) held_[source->second] = held;
}

void Writer::refuse(Group group, const Error& error) {
  Outcome outcome;
  for (Command* command : group) outcome.answers.emplace_back(command, fail(error));
  tell(std::move(outcome));
}

void Writer::tell(Outcome outcome) {
  {
    const std::scoped_lock lock(published_mutex_);
    counters_.commands += outcome.answers.size();
  }
  boost::asio::post(
      loop_, [side = side_, outcome = std::move(outcome)]() mutable { deliver(*side, outcome); });
}

void Writer::deliver(LoopSide& side, Outcome& outcome) {
  if (outcome.registry && side.registry && !side.ended) side.registry(outcome.registry);
  for (auto& [command, answer] : outcome.answers) command->finish(answer);
  if (outcome.hints.empty() || side.ended) return;
  if (side.work) return side.work(outcome.hints);
  for (const auto& hint : outcome.hints) merge_hint(side.missed, hint);
}

std::optional<Error> Writer::failure() const {
  const std::scoped_lock lock(published_mutex_);
  return failure_;
}

void Writer::note_failure(const Error& error) {
  if (!failure()) probe_wait_ = kProbeWaitMin;
  // After a failed sync nothing is worth waiting for: what is kept is known.
  probe_at_ = SteadyClock::now() + (files_.watch().sync_failed() ? Millis{0} : probe_wait_);
  const std::scoped_lock lock(published_mutex_);
  failure_ = error;
}

void Writer::probe() {
  Result<> done;
  if (!db_ || files_.watch().sync_failed()) done = reopen();
  if (done) done = write_probe();
  if (!done) {
    if (db_) db_->rollback();
    probe_wait_ = std::min(probe_wait_ * 2, kProbeWaitMax);
    probe_at_ = SteadyClock::now() + probe_wait_;
    const std::scoped_lock lock(published_mutex_);
    failure_ = for_caller(done.error());
    return;
  }
  {
    const std::scoped_lock lock(published_mutex_);
    failure_.reset();
  }
  Outcome outcome;
  if (auto hints = all_waiting(*db_, state_)) outcome.hints = std::move(*hints);
  tell(std::move(outcome));
}

Result<> Writer::write_probe() {
  auto done = db_->begin();
  if (done) {
    auto query =
        db_->query("INSERT OR REPLACE INTO meta(key, value) VALUES('probe', zeroblob(?1))");
    done = query.bind(static_cast<std::int64_t>(kProbeBytes)).run();
  }
  if (done) done = db_->commit();
  if (!done) return done;
  return db_->query("DELETE FROM meta WHERE key = 'probe'").run();
}

Result<> Writer::reopen() {
  call_closing();
  files_.close_others();
  db_.reset();
  if (auto done = files_.cut_wal(); !done) return done;
  auto db = files_.open_writer();
  if (!db) return fail(std::move(db.error()));
  db_ = std::move(*db);
  {
    const std::scoped_lock lock(published_mutex_);
    ++counters_.reopenings;
  }
  auto done = files_.open_others();
  if (!done) db_.reset();  // the next probe begins anew
  return done;
}

void Writer::make_room() {
  const std::uint64_t size = files_.watch().wal_bytes();
  if (size <= wal_bytes_max_) room_at_ = wal_bytes_max_;
  if (size <= room_at_) return;
  steps_->next();
  Result<Connection::CheckpointResult> done;
  {
    const auto paused = files_.checkpointer().pause();
    done = db_->checkpoint(Connection::Checkpoint::restart, kReaderGrace);
    if (done && !done->complete) {
      files_.readers().interrupt();
      done = db_->checkpoint(Connection::Checkpoint::restart, kRestartWaitMax);
    }
  }
  if (!done) return note_failure(done.error());
  room_at_ = done->complete ? wal_bytes_max_ : files_.watch().wal_bytes() + kRoomRetryBytes;
  const std::scoped_lock lock(published_mutex_);
  ++counters_.restarts;
}

void Writer::release_orders() {
  if (releases_.empty()) return;
  const OrderPlace from = release_at_.value_or(OrderPlace{.action = releases_.front()});
  OrderRelease step(from, release_at_);
  const std::array<Command*, 1> group{&step};
  Outcome outcome;
  const auto done = run_transaction(group, outcome);
  if (!done && is_store_failure(done.error())) return note_failure(done.error());
  if (!done) release_at_.reset();
  if (!release_at_) releases_.erase(releases_.begin());
  outcome.answers.clear();  // nobody waits for it
  tell(std::move(outcome));
}

}  // namespace grapnel::sqlite
