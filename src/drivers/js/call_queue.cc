#include "drivers/js/call_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace grapnel::js {

CallQueue::Entry& CallQueue::entry_of(const model::ScriptPtr& script) {
  const auto found = entries_.find(script.get());
  // An address says nothing once what lay there is gone.
  if (found != entries_.end() && !found->second->script.expired()) return *found->second;
  if (found != entries_.end()) {
    Entry& stale = *found->second;
    if (stale.queued) std::erase(ring_of(stale.standing), &stale);
    waiting_ -= stale.calls.size();
    entries_.erase(found);
  }
  if (entries_.size() >= kScriptsKnownMax) forget_idle();
  auto& entry = entries_[script.get()];
  entry = std::make_unique<Entry>();
  entry->script = script;
  entry->key = script.get();
  return *entry;
}

void CallQueue::forget_idle() {
  std::erase_if(entries_, [](const auto& pair) {
    const Entry& entry = *pair.second;
    return entry.calls.empty() && !entry.queued &&
           (entry.script.expired() || entry.standing != Standing::suspect);
  });
}

void CallQueue::enqueue(Entry& entry) {
  if (entry.queued || entry.calls.empty()) return;
  ring_of(entry.standing).push_back(&entry);
  entry.queued = true;
}

void CallQueue::set_standing(Entry& entry, Standing standing) {
  if (entry.standing == standing) return;
  if (entry.queued) std::erase(ring_of(entry.standing), &entry);
  entry.queued = false;
  entry.standing = standing;
  enqueue(entry);
}

bool CallQueue::push(CallPtr call, Monotonic now) {
  Entry& entry = entry_of(call->call.script);
  if (entry.standing == Standing::suspect && now >= entry.suspect_until) {
    set_standing(entry, Standing::unproven);
  }
  const std::size_t others = waiting_ - entry.calls.size();
  if (waiting_ >= model::kScriptCallsMax) return false;
  if (entry.calls.size() >= (model::kScriptCallsMax - others) / kShareDivisor) return false;
  if (entry.standing == Standing::suspect) {
    if (entry.calls.size() >= kSuspectCallsMax) return false;
    if (waiting_of_suspects() >= kSuspectCallsTotalMax) return false;
  }
  entry.calls.push_back(std::move(call));
  ++waiting_;
  enqueue(entry);
  return true;
}

std::size_t CallQueue::waiting_of_suspects() const {
  std::size_t count = 0;
  for (const Entry* entry : rings_[static_cast<std::size_t>(Standing::suspect)]) {
    count += entry->calls.size();
  }
  return count;
}

void CallQueue::pardon_expired(Monotonic now) {
  if (ring_of(Standing::suspect).empty()) return;
  const Ring suspects = ring_of(Standing::suspect);
  for (Entry* entry : suspects) {
    if (now >= entry->suspect_until) set_standing(*entry, Standing::unproven);
  }
}

CallQueue::Entry* CallQueue::next_of(Standing standing) {
  Ring& ring = ring_of(standing);
  while (!ring.empty()) {
    Entry* entry = ring.front();
    while (!entry->calls.empty() && entry->calls.front()->abandoned) {
      entry->calls.pop_front();
      --waiting_;
    }
    if (!entry->calls.empty()) return entry;
    entry->queued = false;
    ring.pop_front();
  }
  return nullptr;
}

bool CallQueue::has_work(Lane lane, Monotonic now) {
  pardon_expired(now);
  if (lane == Lane::suspects) return next_of(Standing::suspect) != nullptr;
  return next_of(Standing::proven) || next_of(Standing::unproven);
}

Batch CallQueue::take(Lane lane, Monotonic now) {
  pardon_expired(now);
  Entry* entry = nullptr;
  switch (lane) {
    case Lane::suspects: entry = next_of(Standing::suspect); break;
    case Lane::proven_first:
      entry = next_of(Standing::proven);
      if (!entry) entry = next_of(Standing::unproven);
      break;
    case Lane::unproven_first:
      entry = next_of(Standing::unproven);
      if (!entry) entry = next_of(Standing::proven);
      break;
  }
  if (!entry) return {};
  Batch batch{.script = entry->calls.front()->call.script, .calls = {}};
  const std::size_t calls_max = lane == Lane::suspects ? 1 : kBatchCallsMax;
  std::size_t bytes = 0;
  while (!entry->calls.empty() && batch.calls.size() < calls_max) {
    CallPtr& next = entry->calls.front();
    if (next->abandoned) {
      entry->calls.pop_front();
      --waiting_;
      continue;
    }
    bytes += next->bytes();
    const bool alone = next->kind == CallKind::check;
    if (!batch.calls.empty() && (alone || bytes > kBatchBytesMax)) break;
    batch.calls.push_back(std::move(next));
    entry->calls.pop_front();
    --waiting_;
    if (alone) break;
  }
  ring_of(entry->standing).pop_front();
  entry->queued = false;
  enqueue(*entry);
  return batch;
}

void CallQueue::put_back(std::vector<CallPtr> calls) {
  std::erase_if(calls, [](const CallPtr& call) { return call->abandoned; });
  if (calls.empty()) return;
  Entry& entry = entry_of(calls.front()->call.script);
  waiting_ += calls.size();
  entry.calls.insert(entry.calls.begin(), std::make_move_iterator(calls.begin()),
                     std::make_move_iterator(calls.end()));
  enqueue(entry);
}

void CallQueue::note_answer(const model::ScriptPtr& script, std::chrono::microseconds used) {
  Entry& entry = entry_of(script);
  if (entry.standing != Standing::suspect) {
    if (used < kSlowCall) set_standing(entry, Standing::proven);
    return;
  }
  entry.quick_calls = used < kQuickCall ? entry.quick_calls + 1 : 0;
  if (entry.quick_calls >= kSuspectPardonCalls) set_standing(entry, Standing::unproven);
}

std::vector<CallPtr> CallQueue::suspect(const model::ScriptPtr& script, Monotonic until) {
  Entry& entry = entry_of(script);
  entry.suspect_until = std::max(entry.suspect_until, until);
  entry.quick_calls = 0;
  set_standing(entry, Standing::suspect);
  std::vector<CallPtr> surplus;
  while (entry.calls.size() > kSuspectCallsMax) {
    surplus.push_back(std::move(entry.calls.back()));
    entry.calls.pop_back();
    --waiting_;
  }
  return surplus;
}

bool CallQueue::is_suspect(const model::ScriptPtr& script, Monotonic now) const {
  const auto found = entries_.find(script.get());
  return found != entries_.end() && !found->second->script.expired() &&
         found->second->standing == Standing::suspect && now < found->second->suspect_until;
}

std::vector<CallPtr> CallQueue::drain() {
  std::vector<CallPtr> calls;
  for (auto& [key, entry] : entries_) {
    std::ranges::move(entry->calls, std::back_inserter(calls));
    entry->calls.clear();
    entry->queued = false;
  }
  for (Ring& ring : rings_) ring.clear();
  waiting_ = 0;
  return calls;
}

std::size_t CallQueue::suspects(Monotonic now) const {
  return static_cast<std::size_t>(std::ranges::count_if(entries_, [now](const auto& pair) {
    return pair.second->standing == Standing::suspect && now < pair.second->suspect_until;
  }));
}

}  // namespace grapnel::js
