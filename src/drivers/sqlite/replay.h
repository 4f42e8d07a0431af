// Replays: a new delivery for an ended one, singly or by a durable job.
#pragma once

#include <vector>

#include "drivers/sqlite/transaction.h"
#include "model/delivery_book.h"

namespace grapnel::sqlite {

/// The new delivery's number. Errors of its own (nothing was changed): not_found, not_terminal,
/// already_replayed, body_gone, action_deleted, endpoint_gone.
Result<model::Seq> replay_one(Transaction& tx, const model::ReplayWish& wish);

/// Dead letters of the filter that ended at or before `ceiling`.
Result<std::int64_t> count_dead(Connection& db, const model::DeadFilter& filter,
                                model::Seq ceiling);

/// Stores the job. Error: too_many.
Result<> insert_job(Transaction& tx, const model::ReplayJob& job);
/// Errors: not_found.
Result<model::ReplayJob> find_job(Connection& db, model::JobId id);
/// Looks at the job's next dead letters and replays those that match, one for each of `ids` at
/// most.
Result<model::ReplayJob> step_job(Transaction& tx, model::JobId id,
                                  const std::vector<model::DeliveryId>& ids);
Result<model::ReplayJob> cancel_job(Transaction& tx, model::JobId id);
/// Newest first.
Result<std::vector<model::ReplayJob>> list_jobs(Connection& db);

}  // namespace grapnel::sqlite
