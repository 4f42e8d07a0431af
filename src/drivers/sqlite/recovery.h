// What is done at open, before anything else runs: the writer's memory from the tables, and an end
// for what a former process left running.
#pragma once

#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "drivers/sqlite/bodies.h"
#include "drivers/sqlite/writer.h"

namespace grapnel::sqlite {

/// Definitions, numbers and counts as the tables have them. Counts this start: `epoch` is one more
/// than the stored one, which is stored.
Result<WriterState> load_state(Connection& db);

/// Every running delivery becomes one unknown attempt and goes back (or ends, where a cancellation
/// was wished or its action is gone), in transactions of bounded size. Before the writer's start.
Result<> recover_running(Writer& writer, const StoreClock& clock, Random& random);

/// Removes the body files of former process starts that no event names.
Result<> sweep_bodies(Connection& db, Bodies& bodies);

/// One hint for every action with leasable deliveries.
Result<std::vector<model::WorkHint>> all_waiting(Connection& db, const WriterState& state);

}  // namespace grapnel::sqlite
