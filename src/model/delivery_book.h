// PORT DeliveryBook: the states of deliveries. Transitions are those of docs/SEMANTICS.md and no
// others.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "model/action.h"
#include "model/delivery.h"
#include "model/event_log.h"

namespace grapnel::model {

struct LeaseWish {
  ActionId action;
  int count = 0;
};

struct Lease {
  Delivery delivery;  ///< running
  Fence fence = 0;
};

struct LeaseBatch {
  std::vector<Lease> leases;
  /// Per wish: when its next delivery that was not leased is due; nothing: none waits.
  std::vector<std::pair<ActionId, std::optional<Time>>> next_due;
};

/// What a 410, a success or a run of failures says about an action.
struct HealthReport {
  Health health = Health::ok;
  /// The one that the attempt used; a `gone` for an older target changes nothing
  Revision target_revision = 0;
  std::string reason;
};

/// What becomes of an event when its transform's delivery is delivered, in the same transaction.
struct FanoutResult {
  enum class Kind : std::uint8_t {
    event,    ///< `plan` is followed, with `transformed`
    dropped,  ///< on purpose: nothing goes out
    split,    ///< `splits` are events of their own
  };
  Kind kind = Kind::event;
  std::optional<Transformed> transformed;  ///< none: the event goes on as it was received
  FanoutPlan plan;                         ///< its revision counts whatever the kind
  std::vector<EventDraft> splits;          ///< each with its plan
};

/// How a lease ends.
struct Settlement {
  enum class Kind : std::uint8_t {
    delivered,
    retry,      ///< a failed try, due again at `due`
    dead,       ///< a failed try, for `reason`
    hand_back,  ///< running -> pending, due at `due` or at once; counts nothing
    unknown,    ///< running -> pending; the outcome cannot be known
  };
  Seq delivery = 0;
  Fence fence = 0;
  Kind kind = Kind::delivered;
  Time due;
  EndReason reason = EndReason::none;
  std::optional<Attempt> attempt;  ///< none: the lease was never used
  std::optional<HealthReport> health;
  std::optional<FanoutResult> fanout;  ///< of a transform that is delivered
};

struct Settled {
  bool stale = false;  ///< the fence was not the newest: nothing changed
  /// After a cancel wish this is cancelled, after health `gone` dead, whatever was asked (delivered
  /// wins).
  DeliveryState state = DeliveryState::delivered;
  bool stale_plan = false;  ///< of the fan-out: nothing changed, plan it again
  /// Of the fan-out: what was born, per event of `splits` or of the event itself.
  std::vector<Appended> born = {};
};

/// Open deliveries of one action. Exact as of the newest commit.
struct OpenWork {
  std::int64_t pending = 0;  ///< those that wait for order included
  std::int64_t running = 0;
  std::int64_t retrying = 0;
  std::int64_t bytes = 0;  ///< bodies of all of them
  std::int64_t count() const { return pending + running + retrying; }
};

/// A commit made deliveries of the action leasable at `due`, whatever made them so: fan-out, a
/// failure, a hand-back, a replay, an ordering key that went on.
struct WorkHint {
  ActionId action;
  Time due;  ///< the earliest of them
};

struct ReplayWish {
  DeliveryId original;
  DeliveryId replay;  ///< id of the new delivery
};

/// Which dead letters; an empty field matches all.
struct DeadFilter {
  std::optional<SourceId> source;
  std::optional<ActionId> action;
  std::optional<EndReason> reason;
  std::optional<Time> ended_from;  ///< inclusive
  std::optional<Time> ended_to;    ///< exclusive
};

enum class JobState : std::uint8_t { running, done, cancelled };

/// A bulk replay: a durable job over what had ended at `ceiling` and was not replayed yet.
struct ReplayJob {
  JobId id;
  DeadFilter filter;
  double per_second = 0;  ///< 0: as fast as steps go
  JobState state = JobState::running;
  Seq ceiling = 0;           ///< covers ended_seq <= ceiling
  Seq cursor = 0;            ///< covered so far
  std::int64_t matched = 0;  ///< counted when it was made
  std::int64_t replayed = 0;
  std::int64_t skipped = 0;  ///< action deleted or gone, body gone
  Time created;
  std::optional<Time> ended;
};

class DeliveryBook {
 public:
  virtual ~DeliveryBook() = default;

  /// Leases what is due, oldest due first. An action that is not wished for is not touched. Whether
  /// an action may run at all (desired state, health) is the caller's to know; one that is deleting
  /// leases nothing.
  virtual async::Task<Result<LeaseBatch>> lease(std::vector<LeaseWish> wishes) = 0;
  /// Durable when it returns; answers in order. Errors: store_*; then nothing changed.
  virtual async::Task<Result<std::vector<Settled>>> settle(std::vector<Settlement> settlements) = 0;

  /// pending, retrying -> cancelled; running: the wish is stored. Each answer is the state after,
  /// or not_found, already_ended.
  virtual async::Task<Result<std::vector<Result<DeliveryState>>>> cancel(
      std::vector<DeliveryId> ids) = 0;
  /// retrying -> pending, due at once. Errors: not_found, already_ended, conflict (pending or
  /// running).
  virtual async::Task<Result<Delivery>> retry_now(DeliveryId id) = 0;
  /// Lets the ordering key of a blocking dead delivery go on. Errors: not_found, conflict.
  virtual async::Task<Result<Delivery>> skip(DeliveryId id) = 0;

  /// Each answer is the new delivery (pending), or not_found, not_terminal, already_replayed,
  /// body_gone, action_deleted, endpoint_gone.
  virtual async::Task<Result<std::vector<Result<Delivery>>>> replay(
      std::vector<ReplayWish> wishes) = 0;
  /// Fills ceiling, matched and created. Errors: too_many, store_*.
  virtual async::Task<Result<ReplayJob>> start_job(ReplayJob job) = 0;
  /// Replays up to `ids.size()` more; progress is in the same transaction. The job's state is
  /// `done` when nothing is left.
  virtual async::Task<Result<ReplayJob>> step_job(JobId id, std::vector<DeliveryId> ids) = 0;
  /// running -> cancelled; done and cancelled stay.
  virtual async::Task<Result<ReplayJob>> cancel_job(JobId id) = 0;
  virtual async::Task<Result<std::vector<ReplayJob>>> jobs() = 0;

  /// Open work of one action as of the newest commit. Any thread.
  virtual OpenWork open_work(ActionId action) const = 0;
  /// Called on the loop's thread after each commit that made work leasable, at most one hint an
  /// action, and once after start with everything that waits. One watcher.
  virtual void watch_work(std::function<void(const std::vector<WorkHint>&)> watcher) = 0;
};

}  // namespace grapnel::model
