#include "sim/mutation.h"

#include <algorithm>
#include <array>

namespace grapnel::sim {

using doubles::Flaw;

namespace {

constexpr std::array kMutations{
    Mutation{.name = "ack_before_durable",
             .what = "an event is acknowledged before its commit",
             .trick = Trick::ack_before_durable},
    Mutation{.name = "leases_forgotten",
             .what = "a start forgets the deliveries that were running",
             .flaw = Flaw::leases_forgotten},
    Mutation{.name = "order_ignored",
             .what = "the ordering key holds nothing back",
             .flaw = Flaw::order_ignored},
    Mutation{.name = "block_ignored",
             .what = "a dead delivery does not block its key",
             .flaw = Flaw::block_ignored},
    Mutation{.name = "unknown_is_final",
             .what = "an unknown outcome counts as failed for good",
             .flaw = Flaw::unknown_is_final},
    Mutation{.name = "retry_after_lost",
             .what = "the Retry-After is lost",
             .trick = Trick::retry_after_lost},
    Mutation{.name = "keys_forgotten",
             .what = "idempotency keys are forgotten at a restart",
             .flaw = Flaw::keys_forgotten},
    Mutation{.name = "open_work_swept",
             .what = "retention ignores open work",
             .flaw = Flaw::open_work_swept},
    Mutation{.name = "swept_early",
             .what = "retention takes events before their time",
             .flaw = Flaw::swept_early},
    Mutation{.name = "stale_fence_accepted",
             .what = "an outcome of an old lease counts",
             .flaw = Flaw::stale_fence_accepted},
    Mutation{.name = "hints_lost",
             .what = "the dispatcher is not told of some work",
             .trick = Trick::hints_lost},
    Mutation{.name = "failed_outcome_dropped",
             .what = "an outcome that the store refused is dropped",
             .trick = Trick::failed_outcome_dropped},
    Mutation{.name = "closed_served",
             .what = "paused and gone actions are delivered to",
             .trick = Trick::closed_served},
    Mutation{.name = "job_progress_lost",
             .what = "a crash lets a bulk replay replay twice",
             .flaw = Flaw::job_progress_lost},
    Mutation{.name = "jobs_forgotten",
             .what = "a restart forgets bulk replays",
             .flaw = Flaw::jobs_forgotten},
    Mutation{.name = "cancel_wish_forgotten",
             .what = "a wish to cancel is forgotten at a crash",
             .flaw = Flaw::cancel_wish_forgotten},
    Mutation{.name = "cancel_beats_success",
             .what = "a wish to cancel undoes a confirmed success",
             .flaw = Flaw::cancel_beats_success},
    Mutation{.name = "old_gone_counts",
             .what = "a 410 of an old target makes the new one gone",
             .flaw = Flaw::old_gone_counts,
             .trick = Trick::targets_alike},
    Mutation{.name = "released_backwards",
             .what = "held events are released out of order",
             .trick = Trick::released_backwards},
    Mutation{.name = "held_forgotten",
             .what = "a restart forgets what is held",
             .flaw = Flaw::held_forgotten},
    Mutation{.name = "due_times_forgotten",
             .what = "due times are lost at a restart",
             .flaw = Flaw::due_times_forgotten},
    Mutation{.name = "success_claimed",
             .what = "a 500 counts as delivered",
             .trick = Trick::success_claimed},
    Mutation{.name = "duplicate_renamed",
             .what = "a copy is answered with an id of its own",
             .trick = Trick::duplicate_renamed},
    Mutation{.name = "bound_ignored",
             .what = "max_in_flight is not kept",
             .trick = Trick::bound_ignored},
    Mutation{.name = "wrong_body",
             .what = "an event goes out with another body",
             .trick = Trick::wrong_body},
    Mutation{.name = "generation_kept",
             .what = "a cursor of before a restore is taken",
             .flaw = Flaw::generation_kept},
    Mutation{.name = "store_down_ignored",
             .what = "attempts start although the store cannot commit",
             .trick = Trick::store_down_ignored},
    Mutation{.name = "bodies_left",
             .what = "the body of an event that was refused is left behind",
             .trick = Trick::bodies_left},
};

}  // namespace

std::span<const Mutation> mutations() { return kMutations; }

const Mutation* find_mutation(std::string_view name) {
  const auto found = std::ranges::find(kMutations, name, &Mutation::name);
  return found == kMutations.end() ? nullptr : &*found;
}

}  // namespace grapnel::sim
