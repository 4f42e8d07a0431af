// The end of a transform: what it made of its event is planned, stored in one transaction with its
// outcome, and what is born leased is handed on.
//
//   Made ──plan──► FanoutResult ──Outcomes──► store ──born──► Adopter
//            ▲                                  │
//            └──── the definitions changed ◄────┘
#pragma once

#include "async/notify.h"
#include "base/id.h"
#include "model/event_log.h"
#include "model/registry.h"
#include "pipeline/ingest.h"
#include "pipeline/metrics.h"
#include "pipeline/outcomes.h"
#include "pipeline/plan.h"
#include "pipeline/script_result.h"

namespace grapnel::pipeline {

/// Used on the loop's thread.
class Fanout {
 public:
  struct Parts {
    async::Executor executor;
    IdSource& ids;
    const StoreClock& clock;
    model::Registry& registry;
    model::EventLog& log;
    const model::DeliveryBook& book;
    Adopter& adopter;
    Outcomes& outcomes;
    Metrics& metrics;
  };
  explicit Fanout(Parts parts);

  /// Returns when the outcome is durable, or was refused after Outcomes::give_up(). Where an action
  /// that asks for refusal has no room, the transform's delivery goes back for a while.
  async::Task<> write(model::Settlement settlement, Made made, model::EventPtr event, int run);

 private:
  /// One plan, and what hangs on it until it is stored or given up.
  struct Planned {
    model::FanoutResult result;
    std::vector<model::EventPtr> events;  ///< as they are sent: the event itself, or its splits
    std::vector<std::string> files;
  };
  async::Task<> write_now(model::Settlement settlement, Made made, model::EventPtr event, int run);
  async::Task<Result<Planned>> plan(const Made& made, const model::Event& event, int run);
  Result<model::FanoutPlan> plan_one(const model::SourceEntry& entry, const MadeEvent& made,
                                     const model::Event& sent) const;
  async::Task<Result<>> put_in_file(std::string& body, std::string& file, Planned& planned);
  void give_up(const Planned& planned);
  void adopt(const Planned& planned, const model::Settled& settled);

  Parts parts_;
  Planner planner_;
  std::uint64_t bytes_ = 0;  ///< of what is being written
  async::Notify room_;
};

/// The name of the event that run `run` of `parent` makes at `index`: the same each time.
model::EventId split_id(model::EventId parent, int run, std::size_t index);

}  // namespace grapnel::pipeline
