// The calls that wait for a worker, by script. Plain data on the loop's thread; the pool decides.
//
// Scripts are served in turns, one batch a turn, so that however many calls one of them has, the
// others wait for a batch of it and no more. A script is
//
//   unproven --a quick call--> proven     workers of its own preference each, so that new scripts,
//      ^                         |        however bad, never stand before those known to be good
//      |                         v
//      +--- pardoned --- suspect          slow, over time, or deadly: one call at a time, on a
//                                         worker that serves suspects alone
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "async/notify.h"
#include "base/clock.h"
#include "drivers/js/limits.h"
#include "model/sandbox.h"

namespace grapnel::js {

using Outcome = std::expected<model::ScriptAnswer, model::ScriptFailure>;

enum class CallKind : std::uint8_t { run, check };

/// A call from submission to outcome. Owned by who waits for it and by the queue or batch it is in,
/// because a caller that is canceled goes while a worker still has its call.
struct PendingCall {
  PendingCall(async::Executor executor, CallKind what, model::ScriptCall given)
      : kind(what), call(std::move(given)), settled(executor) {}

  std::size_t bytes() const { return call.event.size() + call.body.size(); }

  CallKind kind;
  model::ScriptCall call;
  int deaths = 0;          ///< workers that died with it, for no reason of its own that is known
  bool abandoned = false;  ///< nobody waits; `call.body` is gone
  std::optional<Outcome> outcome;
  async::Notify settled;
};
using CallPtr = std::shared_ptr<PendingCall>;

/// Calls of one script, in their order.
struct Batch {
  model::ScriptPtr script;
  std::vector<CallPtr> calls;
};

/// Whom a worker serves, and who comes first.
enum class Lane : std::uint8_t { proven_first, unproven_first, suspects };

class CallQueue {
 public:
  /// False: kScriptCallsMax wait, or the script has its share of them.
  bool push(CallPtr call, Monotonic now);
  /// The next batch for a lane; without calls: nothing waits there. A check is a batch of its own.
  Batch take(Lane lane, Monotonic now);
  bool has_work(Lane lane, Monotonic now);
  /// Calls of a batch that were not answered: they are the script's next ones.
  void put_back(std::vector<CallPtr> calls);
  /// A call was answered after this much processor time.
  void note_answer(const model::ScriptPtr& script, std::chrono::microseconds used);
  /// A suspect until then. Returns the calls for which suspects have no room.
  std::vector<CallPtr> suspect(const model::ScriptPtr& script, Monotonic until);
  bool is_suspect(const model::ScriptPtr& script, Monotonic now) const;
  /// Everything that waits; none of it does afterwards.
  std::vector<CallPtr> drain();

  std::size_t waiting() const { return waiting_; }
  std::size_t suspects(Monotonic now) const;

 private:
  enum class Standing : std::uint8_t { unproven, proven, suspect };
  struct Entry {
    std::weak_ptr<const model::Script> script;
    const model::Script* key = nullptr;
    std::deque<CallPtr> calls;
    Standing standing = Standing::unproven;
    bool queued = false;  ///< stands in the ring of its standing
    int quick_calls = 0;  ///< in a row, as a suspect
    Monotonic suspect_until;
  };
  using Ring = std::deque<Entry*>;

  Entry& entry_of(const model::ScriptPtr& script);
  Ring& ring_of(Standing standing) { return rings_[static_cast<std::size_t>(standing)]; }
  void enqueue(Entry& entry);
  void set_standing(Entry& entry, Standing standing);
  void pardon_expired(Monotonic now);
  void remove(Entry& entry, const CallPtr& call);
  Entry* next_of(Standing standing);
  void forget_idle();
  std::size_t waiting_of_suspects() const;

  std::unordered_map<const model::Script*, std::unique_ptr<Entry>> entries_;
  std::array<Ring, 3> rings_;
  std::size_t waiting_ = 0;
};

}  // namespace grapnel::js
