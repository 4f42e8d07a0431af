// Reads beside the writer: a pool of threads, each with a read-only connection. A read sees one
// snapshot.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <type_traits>
#include <vector>

#include "async/blocking_pool.h"
#include "base/result.h"
#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/statement.h"
#include "model/errors.h"

namespace grapnel::sqlite {

class Readers {
 public:
  explicit Readers(async::Executor loop) : pool_(std::move(loop), kReaders) {}
  ~Readers() {
    end();
    close();
  }

  /// Runs `function(Connection&) -> Result<T>` on a thread, inside one read transaction. It may run
  /// again: a read that stands in the way of the log's bound is interrupted and made anew,
  /// kReadTries times in all. Loop's thread. Errors of its own: store_unavailable.
  template <class Function>
  async::Task<std::invoke_result_t<Function&, Connection&>> read(Function function) {
    co_return co_await pool_.run([this, &function] { return read_now(function); });
  }
  /// Other blocking work (files) on the same threads: `function() -> Result<T>`.
  template <class Function>
  async::Task<std::invoke_result_t<Function&>> run(Function function) {
    co_return co_await pool_.run(std::move(function));
  }

  // For the writer and for opening. Any thread.
  void open(std::vector<std::unique_ptr<Connection>> connections);
  /// Interrupts what runs, waits for it and closes every connection; reads wait until open() or
  /// fail when `end` was called.
  void close();
  /// Asks every read that runs now to end.
  void interrupt();
  /// Reads fail from now on.
  void end();

 private:
  struct Slot {
    std::unique_ptr<Connection> connection;
    std::atomic<bool> interrupted = false;
    bool taken = false;
  };
  class Borrowed {
   public:
    explicit Borrowed(Readers& readers) : readers_(readers), slot_(readers.take()) {}
    ~Borrowed() {
      if (slot_ != nullptr) readers_.give_back(*slot_);
    }
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    Slot* get() { return slot_; }

   private:
    Readers& readers_;
    Slot* slot_;
  };

  template <class Function>
  std::invoke_result_t<Function&, Connection&> read_now(Function& function) {
    for (int tries = 1;; ++tries) {
      Borrowed borrowed(*this);
      Slot* const slot = borrowed.get();
      if (slot == nullptr) return fail(model::errc::store_unavailable, "the store is closing");
      auto begun = slot->connection->execute("BEGIN");
      if (!begun) return fail(std::move(begun.error()));
      auto value = function(*slot->connection);
      slot->connection->rollback();
      if (value || !slot->interrupted || tries == kReadTries) return value;
    }
  }

  Slot* take();
  void give_back(Slot& slot);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::size_t taken_ = 0;
  bool open_ = false;
  bool ended_ = false;
  async::BlockingPool pool_;  // last: joins its threads while the rest is still there
};

}  // namespace grapnel::sqlite
