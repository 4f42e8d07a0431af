// Bugs that can be planted in the memory store, to see that the simulation finds them.
#pragma once

#include <cstdint>

namespace grapnel::doubles {

enum class Flaw : std::uint8_t {
  none,
  leases_forgotten,       ///< a start leaves the former process's leases as they are
  unknown_is_final,       ///< an unknown outcome is a failure for good
  keys_forgotten,         ///< idempotency keys do not survive a start
  due_times_forgotten,    ///< after a start all retries are due at once
  held_forgotten,         ///< a start forgets what is held
  jobs_forgotten,         ///< a start forgets the bulk replays that run
  job_progress_lost,      ///< a start lets bulk replays begin again, with what they replayed
  cancel_wish_forgotten,  ///< a start forgets wishes to cancel
  order_ignored,          ///< ordering keys hold nothing back
  block_ignored,          ///< a dead delivery never blocks its key
  open_work_swept,        ///< retention does not look for open work
  swept_early,            ///< retention takes events long before their time
  stale_fence_accepted,   ///< an outcome counts whatever lease it is of
  cancel_beats_success,   ///< a cancel wish undoes a confirmed success
  old_gone_counts,        ///< a 410 of a former target makes the new one gone
  generation_kept,        ///< a restore leaves old cursors good
};

}  // namespace grapnel::doubles
