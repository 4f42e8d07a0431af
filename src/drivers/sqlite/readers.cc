#include "drivers/sqlite/readers.h"

namespace grapnel::sqlite {

void Readers::open(std::vector<std::unique_ptr<Connection>> connections) {
  {
    const std::scoped_lock lock(mutex_);
    slots_.clear();
    for (auto& connection : connections) {
      auto slot = std::make_unique<Slot>();
      slot->connection = std::move(connection);
      slot->connection->interrupt_when([asked = &slot->interrupted] { return asked->load(); });
      slots_.push_back(std::move(slot));
    }
    open_ = true;
  }
  changed_.notify_all();
}

void Readers::close() {
  interrupt();
  std::unique_lock lock(mutex_);
  open_ = false;
  changed_.wait(lock, [this] { return taken_ == 0; });
  slots_.clear();
}

void Readers::interrupt() {
  const std::scoped_lock lock(mutex_);
  for (const auto& slot : slots_) {
    if (slot->taken) slot->interrupted = true;
  }
}

void Readers::end() {
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

Readers::Slot* Readers::take() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (ended_) return nullptr;
    if (open_) {
      for (const auto& slot : slots_) {
        if (slot->taken) continue;
        slot->taken = true;
        slot->interrupted = false;
        ++taken_;
        return slot.get();
      }
    }
    changed_.wait(lock);
  }
}

void Readers::give_back(Slot& slot) {
  {
    const std::scoped_lock lock(mutex_);
    slot.taken = false;
    --taken_;
  }
  changed_.notify_all();
}

}  // namespace grapnel::sqlite
