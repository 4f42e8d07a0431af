// The one thread that writes: natural group commit.
//
//     loop's thread                      writer's thread
//
//     write(f) ------- queue ----------> BEGIN; f; f; f; …; COMMIT
//     answers, hints <-- one post ------
//
// - Whatever waits when the writer is free becomes one transaction; nothing waits for a timer.
// - A command that fails by its own fault fails alone: the others of its transaction are run again
//   one by one. A failure of the store (disk full, read-only, I/O) fails them all, and none of them
//   happened.
// - All answers of a commit reach the loop in one post: after the new definitions (watchers) and
//   before the hints of new work.
// - After a failed sync the connections are closed, the log is cut to what is known to be synced,
//   and everything is opened anew (sync_watch_vfs.h); a sync is never tried again.
// - While the store cannot commit, commands fail at once with the reason, and a probe with backoff
//   finds out when it can again.
#pragma once

#include <boost/asio/executor_work_guard.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <type_traits>
#include <vector>

#include "async/one_shot.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/stall_watch.h"
#include "drivers/sqlite/statement.h"
#include "drivers/sqlite/store_options.h"
#include "drivers/sqlite/transaction.h"
#include "model/upkeep.h"

namespace grapnel::sqlite {

class Bodies;
class Files;

/// How far a walk over an action's waiting deliveries has come (order.h).
struct OrderPlace {
  std::int64_t action = 0;
  std::int64_t body_size = -1;  ///< the last one looked at, in the order of deliveries_open
  model::Seq seq = 0;
};

/// One unit of the queue. Lives until finish() has run on the loop's thread.
class Command {
 public:
  virtual ~Command() = default;
  /// Writer's thread, inside a transaction; once more after a rollback. An error takes back what it
  /// did.
  virtual Result<> run(Transaction& tx) = 0;
  /// Writer's thread, between two transactions. Only of commands that say so.
  virtual Result<> run_between(Connection&) { return {}; }
  virtual bool between() const { return false; }
  /// Loop's thread.
  virtual void finish(const Result<>& outcome) = 0;

  std::size_t bytes = 0;
};

class Writer {
 public:
  /// `files` opens and closes connections and outlives the writer; `state` is what recovery found.
  Writer(Files& files, Bodies& bodies, StallWatch& stalls, const StoreClock& clock,
         async::Executor loop, std::unique_ptr<Connection> db, WriterState state,
         const StoreOptions& options);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// One transaction on the calling thread; only before start() (recovery).
  Result<> run_alone(const std::function<Result<>(Transaction&)>& function);
  /// Begins to take commands. Watchers that are set later get what they missed.
  void start();
  /// Finishes what is queued, then refuses everything; joins the thread. Idempotent.
  void stop();

  /// Runs `function(Transaction&) -> Result<T>` in the next transaction and answers when that is
  /// durable. The function may run twice. An answer that is an error means: nothing of it happened.
  /// `bytes` is what it carries, for the bound of the queue. Loop's thread; not cancelable. Errors
  /// of its own: store_*.
  template <class Function>
  async::Task<std::invoke_result_t<Function&, Transaction&>> write(std::size_t bytes,
                                                                   Function function) {
    InTransaction<Function> command(loop_, function);
    command.bytes = bytes + kCommandBytes;
    if (auto taken = submit(command); !taken) co_return fail(std::move(taken.error()));
    const auto guard = boost::asio::make_work_guard(loop_);
    co_return co_await command.done.wait();
  }
  /// Runs `function(Connection&) -> Result<T>` on the writer's connection between two transactions.
  template <class Function>
  async::Task<std::invoke_result_t<Function&, Connection&>> between_commits(Function function) {
    BetweenCommits<Function> command(loop_, function);
    command.bytes = kCommandBytes;
    if (auto taken = submit(command); !taken) co_return fail(std::move(taken.error()));
    const auto guard = boost::asio::make_work_guard(loop_);
    co_return co_await command.done.wait();
  }
  /// Called on the writer's thread before its connection is closed, also for a reopening; one at a
  /// time (a backup that holds on to the connection). Empty: nobody.
  void on_close(std::function<void()> closing);

  /// Loop's thread, before or after start().
  void watch_registry(std::function<void(model::SnapshotPtr)> watcher);
  void watch_work(std::function<void(const std::vector<model::WorkHint>&)> watcher);

  // Any thread.
  model::OpenWork open_work(model::ActionId action) const;
  model::HeldWork held_work(model::SourceId source) const;
  /// Newest committed definitions.
  model::SnapshotPtr registry() const;
  /// Newest number of the commit sequence that was given.
  model::Seq newest_seq() const;
  model::StoreHealth health() const;
  StoreCounters counters() const;

 private:
  template <class Function>
  struct InTransaction final : Command {
    using Value = std::invoke_result_t<Function&, Transaction&>;
    InTransaction(async::Executor loop, Function& f) : function(f), done(loop) {}
    Result<> run(Transaction& tx) override {
      value.emplace(function(tx));
      if (!*value) return fail(value->error());
      return {};
    }
    void finish(const Result<>& outcome) override {
      if (outcome) return done.set(std::move(*value));
      done.set(fail(outcome.error()));
    }
    Function& function;
    std::optional<Value> value;
    async::OneShot<Value> done;
  };
  template <class Function>
  struct BetweenCommits final : Command {
    using Value = std::invoke_result_t<Function&, Connection&>;
    BetweenCommits(async::Executor loop, Function& f) : function(f), done(loop) {}
    Result<> run(Transaction&) override { return {}; }
    Result<> run_between(Connection& db) override {
      value.emplace(function(db));
      if (!*value) return fail(value->error());
      return {};
    }
    bool between() const override { return true; }
    void finish(const Result<>& outcome) override {
      if (outcome) return done.set(std::move(*value));
      done.set(fail(outcome.error()));
    }
    Function& function;
    std::optional<Value> value;
    async::OneShot<Value> done;
  };

  using Group = std::span<Command* const>;
  /// What one commit (or one failure) tells the loop.
  struct Outcome {
    std::vector<std::pair<Command*, Result<>>> answers;
    model::SnapshotPtr registry;  // null: unchanged
    std::vector<model::WorkHint> hints;
  };
  /// The loop's thread alone; shared with what is posted there, which may run after the writer has
  /// gone.
  struct LoopSide {
    std::function<void(model::SnapshotPtr)> registry;
    std::function<void(const std::vector<model::WorkHint>&)> work;
    std::vector<model::WorkHint> missed;  // until there is a watcher
    bool ended = false;                   // nobody is watched for any more
  };

  Result<> submit(Command& command);
  void work();
  bool wait_for_work(std::vector<Command*>& batch);
  void run_batch(Group batch);
  void run_group(Group group);
  void run_between(Command& command);
  Result<> run_transaction(Group group, Outcome& outcome);
  Result<> finish_transaction(Transaction& tx);
  void absorb(Transaction& tx, Outcome& outcome);
  void publish_open(std::int64_t key, const model::OpenWork& work);
  void publish_held(std::int64_t key, const model::HeldWork& held);
  void refuse(Group group, const Error& error);
  void tell(Outcome outcome);
  static void deliver(LoopSide& side, Outcome& outcome);
  std::optional<Error> failure() const;
  void note_failure(const Error& error);
  void probe();
  Result<> write_probe();
  Result<> reopen();
  void make_room();
  void release_orders();
  void call_closing();

  Files& files_;
  Bodies& bodies_;
  StallWatch& stalls_;
  const StoreClock& clock_;
  const async::Executor loop_;
  const std::uint64_t wal_bytes_max_;
  const std::function<void(const CommitFigures&)> on_commit_;

  // The writer's thread.
  std::unique_ptr<Connection> db_;
  WriterState state_;
  std::optional<StallWatch::Steps> steps_;  // none: it waits for work
  Millis probe_wait_{0};
  Monotonic probe_at_{};
  std::uint64_t room_at_;
  std::vector<std::int64_t> releases_;    // actions whose ordering keys no longer block
  std::optional<OrderPlace> release_at_;  // how far the walk over the first of them has come

  mutable std::mutex mutex_;  // of everything below up to the blank line
  std::condition_variable changed_;
  std::deque<Command*> queue_;
  std::size_t queued_bytes_ = 0;
  bool stopping_ = false;
  std::function<void()> closing_;

  mutable std::mutex published_mutex_;  // of everything below up to the blank line
  std::unordered_map<model::ActionId, model::OpenWork> open_;
  std::unordered_map<model::SourceId, model::HeldWork> held_;
  model::SnapshotPtr registry_;
  model::Seq seq_ = 0;
  std::optional<Error> failure_;
  StoreCounters counters_;

  const std::shared_ptr<LoopSide> side_;
  std::thread thread_;
};

}  // namespace grapnel::sqlite
