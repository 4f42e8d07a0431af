// PORT EventLog: events and their fan-out. Batch first: one commit costs the same whatever is in
// it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "model/delivery.h"
#include "model/event.h"
#include "model/source.h"

namespace grapnel::model {

using EventPtr = std::shared_ptr<const Event>;

/// How a planned delivery is born.
enum class Birth : std::uint8_t {
  pending,
  leased,  ///< running, leased to this process (pending instead when its ordering key must wait)
  dead,    ///< with a reason: endpoint_gone or backlog_full
};

struct DeliveryPlan {
  DeliveryId id;
  ActionId action;
  Birth birth = Birth::pending;
  EndReason reason = EndReason::none;
};

/// What fan-out is to do with one event, decided from the source's definition at `revision`.
struct FanoutPlan {
  Revision revision = 0;  ///< SourceEntry::source.revision; an older one is answered stale_plan
  FanoutState state = FanoutState::done;  ///< done, recorded, held or waiting
  std::vector<DeliveryPlan> deliveries;   ///< of done; of waiting: the transform's
};

/// What a transform made of an event: what its run sends instead. What is not set stays as it was.
struct Transformed {
  std::optional<std::string> type;
  std::optional<std::string> body;  ///< empty when body_file is set
  std::string body_file;            ///< name given by write_body
  std::uint64_t body_size = 0;      ///< of a body
  Sha256 body_sha256{};             ///< of a body
  HeaderList set_headers;
  std::vector<std::string> removed_headers;
};

struct EventDraft {
  Event event;            ///< seq is not set; body is empty when body_file is set
  std::string body_file;  ///< name given by write_body
  FanoutPlan plan;
};

enum class Admission : std::uint8_t {
  accepted,
  recorded,
  held,         ///< also when the plan said done but the source still has held events
  duplicate,    ///< of the event that is answered
  stale_plan,   ///< nothing was stored: plan again from the newest snapshot
  source_gone,  ///< nothing was stored: the source is deleted or deleting
};

struct BornDelivery {
  DeliveryId id;
  Seq seq = 0;
  Fence fence = 0;  ///< 0: not leased
  bool waits_for_order = false;
};

struct Appended {
  Admission admission = Admission::accepted;
  EventId event;  ///< of a duplicate: the first event
  Seq seq = 0;
  bool other_body = false;               ///< a duplicate whose body differs from the first one's
  std::vector<BornDelivery> deliveries;  ///< in the plan's order; empty unless accepted
};

/// Fan-out of an event that is stored already.
struct FanoutDraft {
  enum class Run : std::uint8_t {
    first,  ///< release of a held event; nothing happens when it is no longer held
    again,  ///< replay of an event: run r + 1; needs a terminal fan-out and a source that is not
            ///< deleting
  };
  Seq event = 0;
  Run run = Run::first;
  FanoutPlan plan;
};

struct HeldWork {
  std::int64_t count = 0;
  std::int64_t bytes = 0;
};

class EventLog {
 public:
  virtual ~EventLog() = default;

  /// Durable when it returns. Answers in the order of the drafts. Dedupe, fan-out and ordering
  /// happen in the same transaction; copies within one batch are duplicates of the first. Errors:
  /// store_*; then nothing of the batch exists.
  virtual async::Task<Result<std::vector<Appended>>> append(std::vector<EventDraft> drafts) = 0;

  /// Writes and syncs a body above kBodyInlineBytesMax to a file of its own, before its row. The
  /// name is for exactly one draft; a file whose draft is never appended is swept after the next
  /// start.
  virtual async::Task<Result<std::string>> write_body(std::shared_ptr<const std::string> body) = 0;

  /// Gives up a body whose draft was not stored (refused, stale, failed): its file goes at once.
  /// "": none.
  virtual void drop_body(const std::string& name) = 0;

  /// The oldest held events of a source in seq order, without bodies.
  virtual async::Task<Result<std::vector<EventPtr>>> held(SourceId source, int limit) = 0;
  /// Answers in the order of the drafts; `accepted`, `recorded` (plan says so), `stale_plan` or
  /// `source_gone`, and `duplicate` where a first run found it no longer held. Errors: store_*,
  /// not_found.
  virtual async::Task<Result<std::vector<Appended>>> fan_out(std::vector<FanoutDraft> drafts) = 0;

  /// Whole events with bodies, as that run sends them, in the order asked. A null pointer: retained
  /// away. A body that does
  /// not match its checksum comes with `body_damaged` in that place instead. Errors: store_*.
  virtual async::Task<Result<std::vector<Result<EventPtr>>>> read(std::vector<EventRun> events) = 0;

  /// Held events of one source as of the newest commit. Any thread.
  virtual HeldWork held_work(SourceId source) const = 0;
};

}  // namespace grapnel::model
