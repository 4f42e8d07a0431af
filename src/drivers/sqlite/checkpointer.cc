#include "drivers/sqlite/checkpointer.h"

namespace grapnel::sqlite {

Checkpointer::Checkpointer() : thread_([this] { work(); }) {}

Checkpointer::~Checkpointer() {
  close();
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Checkpointer::open(std::unique_ptr<Connection> connection) {
  const std::scoped_lock running(running_);
  connection_ = std::move(connection);
}

void Checkpointer::close() {
  const auto paused = pause();
  connection_.reset();
}

void Checkpointer::wake() {
  {
    const std::scoped_lock lock(mutex_);
    if (wanted_) return;
    wanted_ = true;
  }
  changed_.notify_all();
}

std::unique_lock<std::mutex> Checkpointer::pause() {
  {
    const std::scoped_lock lock(mutex_);
    if (interruptible_ != nullptr) interruptible_->interrupt();
  }
  return std::unique_lock(running_);
}

void Checkpointer::work() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return wanted_ || ended_; });
      if (ended_) return;
      wanted_ = false;
    }
    const std::scoped_lock running(running_);
    if (!connection_) continue;
    {
      const std::scoped_lock lock(mutex_);
      interruptible_ = connection_.get();
    }
    // A failure needs no answer here: one of a sync is seen by the writer (SyncWatchVfs), any other
    // is met again by the writer's own checkpoint at the bound.
    (void)connection_->checkpoint(Connection::Checkpoint::passive, Millis{0});
    const std::scoped_lock lock(mutex_);
    interruptible_ = nullptr;
  }
}

}  // namespace grapnel::sqlite
