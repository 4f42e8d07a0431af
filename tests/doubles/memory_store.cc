#include "doubles/memory_store.h"

#include <boost/asio/post.hpp>

#include <algorithm>

#include "base/check.h"

namespace grapnel::doubles {

using namespace model;
using model::errc;

MemoryStore::MemoryStore(async::Loop& loop, const Clock& clock)
    : executor_(loop.get_executor()), system_clock_(clock) {
  reopen();
}

void MemoryStore::reopen() {
  crashed_ = false;
  outage_.reset();
  stalled_names_.clear();
  clock_.emplace(system_clock_, tables_.newest());
  tables_.recover(clock_->now());
}

void MemoryStore::crash() {
  crashed_ = true;
  work_watcher_ = nullptr;
  watchers_.clear();
  refuse_all(std::exchange(queue_, {}), errc::store_unavailable);
  refuse_all(std::exchange(stalled_, {}), errc::store_unavailable);
}

void MemoryStore::crash_and_reopen() {
  crash();
  reopen();
}

bool MemoryStore::restore(const std::string& folder) {
  const auto found = backups_.find(folder);
  if (found == backups_.end()) return false;
  crash();
  tables_ = found->second;
  newest_generation_ = std::max(newest_generation_, tables_.generation()) + 1;
  tables_.start_generation(newest_generation_);
  reopen();
  return true;
}

void MemoryStore::set_commits(Commits when) {
  commits_ = when;
  if (commits_ == Commits::each_turn && !queue_.empty()) post_commit();
}

void MemoryStore::enqueue(Call call) {
  if (crashed_) return call.refuse(errc::store_unavailable);
  if (stalled_names_.contains(call.name)) return stalled_.push_back(std::move(call));
  queue_.push_back(std::move(call));
  if (commits_ == Commits::each_turn) post_commit();
}

void MemoryStore::post_commit() {
  if (commit_posted_) return;
  commit_posted_ = true;
  boost::asio::post(executor_, [this, life = std::weak_ptr<int>(life_)] {
    if (life.expired()) return;
    commit_posted_ = false;
    if (commits_ == Commits::each_turn) commit_waiting();
  });
}

bool MemoryStore::commit_waiting() {
  if (queue_.empty()) return false;
  CommitInfo info{.number = ++commit_number_, .calls = {}};
  for (const Call& call : queue_) info.calls.push_back(call.name);
  const Fate fate = decide_ ? decide_(info) : Fate::commit;
  const bool crashes = fate == Fate::crash_before || fate == Fate::crash_after;
  auto calls = std::exchange(queue_, {});

  if (!crashes && (outage_ || fate != Fate::commit)) {
    const errc failed = fate == Fate::fail_full ? errc::store_full : errc::store_unavailable;
    refuse_all(std::move(calls), outage_.value_or(failed));
    return true;
  }
  if (fate != Fate::crash_before) {
    tables_.begin(clock_->now());
    for (const Call& call : calls) call.apply();
    if (durable_hook_) durable_hook_(info);
  }
  if (crashes) {
    tables_.take_effects();
    crash();
    refuse_all(std::move(calls), errc::store_unavailable);
    if (crashed_hook_) crashed_hook_();
    return true;
  }
  for (const Call& call : calls) call.answer();
  tell_watchers();
  return true;
}

void MemoryStore::refuse_all(std::deque<Call> calls, errc error) {
  for (const Call& call : calls) call.refuse(error);
}

void MemoryStore::tell_watchers() {
  const MemoryTables::Effects effects = tables_.take_effects();
  if (effects.definitions) {
    const auto watchers = watchers_;  // one may crash the store
    for (const auto& watcher : watchers) watcher(tables_.snapshot());
  }
  if (!effects.work.empty() && work_watcher_) {
    std::vector<WorkHint> hints;
    for (const auto& [action, due] : effects.work) hints.push_back({.action = action, .due = due});
    work_watcher_(hints);
  }
}

void MemoryStore::watch(std::function<void(SnapshotPtr)> watcher) {
  watchers_.push_back(std::move(watcher));
}

void MemoryStore::watch_work(std::function<void(const std::vector<WorkHint>&)> watcher) {
  GRAPNEL_CHECK(!work_watcher_);
  work_watcher_ = std::move(watcher);
  boost::asio::post(executor_, [this, life = std::weak_ptr<int>(life_)] {
    if (life.expired() || !work_watcher_) return;
    const auto hints = tables_.waiting_work();
    if (!hints.empty()) work_watcher_(hints);
  });
}

StoreHealth MemoryStore::health() const {
  StoreHealth out{.writable = !crashed_ && !outage_, .epoch = tables_.epoch()};
  if (crashed_) out.code = model::errc::store_unavailable;
  if (outage_) out.code = *outage_;
  if (!out.writable) out.reason = out.code.message();
  return out;
}

}  // namespace grapnel::doubles
