#include "drivers/sqlite/delivery_book.h"

#include <fmt/format.h>

#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/lease.h"
#include "drivers/sqlite/order.h"
#include "drivers/sqlite/replay.h"
#include "drivers/sqlite/rows.h"
#include "drivers/sqlite/settle.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

using model::Delivery;
using model::DeliveryId;
using model::DeliveryState;
using model::EndReason;
using model::ReplayJob;

/// An answer to one of several wishes, as opposed to a failure of the whole call.
bool is_answer(const Error& error) {
  return !is_store_failure(error) && error.code != errc::bad_statement;
}

std::unexpected<Error> no_delivery(DeliveryId id) {
  return fail(model::errc::not_found, fmt::format("there is no delivery {}", id.str()));
}

Result<Delivery> load_delivery(Transaction& tx, model::Seq seq) {
  auto query = tx.db().query(GRAPNEL_SQLITE_DELIVERY_SELECT "WHERE d.seq = ?1");
  const auto row = query.bind(seq).next();
  if (!row) return fail(row.error());
  if (!*row) return fail(model::errc::not_found);
  return read_delivery(query);
}

Result<DeliveryState> cancel_one(Transaction& tx, DeliveryId id) {
  auto row = find_row(tx.db(), id);
  if (!row) return fail(std::move(row.error()));
  if (!*row) return no_delivery(id);
  if (is_terminal((*row)->state)) return fail(model::errc::already_ended);
  if (auto done = cancel_open(tx, **row, EndReason::by_person); !done)
    return fail(std::move(done.error()));
  return (*row)->state;
}

Result<Delivery> make_due(Transaction& tx, DeliveryId id) {
  auto row = find_row(tx.db(), id);
  if (!row) return fail(std::move(row.error()));
  if (!*row) return no_delivery(id);
  DeliveryRow& delivery = **row;
  if (is_terminal(delivery.state)) return fail(model::errc::already_ended);
  if (delivery.state != DeliveryState::retrying) {
    return fail(model::errc::conflict, "the delivery does not wait for a retry");
  }
  if (auto done = give_back(tx, delivery, DeliveryState::pending, tx.now()); !done) {
    return fail(std::move(done.error()));
  }
  return load_delivery(tx, delivery.seq);
}

Result<Delivery> skip_one(Transaction& tx, DeliveryId id) {
  auto row = find_row(tx.db(), id);
  if (!row) return fail(std::move(row.error()));
  if (!*row) return no_delivery(id);
  const DeliveryRow& delivery = **row;
  const auto action = tx.action(delivery.action);
  const bool blocks = delivery.state == DeliveryState::dead && delivery.order_key && action &&
                      action->on_dead == model::OnDead::block;
  if (!blocks) return fail(model::errc::conflict, "the delivery does not block its ordering key");
  auto mark = tx.db().query("UPDATE deliveries SET skipped = 1 WHERE seq = ?1");
  auto done = mark.bind(delivery.seq).run();
  if (done) done = unblock(tx.db(), *delivery.order_key, delivery.stand_seq);
  if (done) done = free_next(tx, *delivery.order_key, delivery.action);
  if (!done) return fail(std::move(done.error()));
  return load_delivery(tx, delivery.seq);
}

std::size_t bytes_of(const model::FanoutResult& result) {
  std::size_t bytes = 0;
  if (result.transformed && result.transformed->body) bytes += result.transformed->body->size();
  for (const auto& split : result.splits) bytes += split.event.body.size() + kCommandBytes;
  return bytes;
}

}  // namespace

async::Task<Result<model::LeaseBatch>> DeliveryBook::lease(std::vector<model::LeaseWish> wishes) {
  co_return co_await writer_.write(0, [&wishes](Transaction& tx) -> Result<model::LeaseBatch> {
    model::LeaseBatch batch;
    for (const auto& wish : wishes) {
      if (auto done = lease_one(tx, wish, batch); !done) return fail(std::move(done.error()));
    }
    return batch;
  });
}

async::Task<Result<std::vector<model::Settled>>> DeliveryBook::settle(
    std::vector<model::Settlement> settlements) {
  // An attempt's excerpt is the largest thing in it, and mostly absent; but for what a transform
  // made.
  std::size_t bytes = settlements.size() * kCommandBytes;
  for (const auto& settlement : settlements) {
    if (settlement.fanout) bytes += bytes_of(*settlement.fanout);
  }
  co_return co_await writer_.write(
      bytes, [&settlements](Transaction& tx) -> Result<std::vector<model::Settled>> {
        std::vector<model::Settled> answers;
        answers.reserve(settlements.size());
        for (const auto& settlement : settlements) {
          auto settled = settle_one(tx, settlement);
          if (!settled) return fail(std::move(settled.error()));
          answers.push_back(*settled);
        }
        return answers;
      });
}

async::Task<Result<std::vector<Result<DeliveryState>>>> DeliveryBook::cancel(
    std::vector<DeliveryId> ids) {
  using Answers = std::vector<Result<DeliveryState>>;
  co_return co_await writer_.write(0, [&ids](Transaction& tx) -> Result<Answers> {
    Answers answers;
    for (const DeliveryId id : ids) {
      auto answer = cancel_one(tx, id);
      if (!answer && !is_answer(answer.error())) return fail(std::move(answer.error()));
      answers.push_back(std::move(answer));
    }
    return answers;
  });
}

async::Task<Result<Delivery>> DeliveryBook::retry_now(DeliveryId id) {
  co_return co_await writer_.write(0, [id](Transaction& tx) { return make_due(tx, id); });
}

async::Task<Result<Delivery>> DeliveryBook::skip(DeliveryId id) {
  co_return co_await writer_.write(0, [id](Transaction& tx) { return skip_one(tx, id); });
}

async::Task<Result<std::vector<Result<Delivery>>>> DeliveryBook::replay(
    std::vector<model::ReplayWish> wishes) {
  using Answers = std::vector<Result<Delivery>>;
  co_return co_await writer_.write(0, [&wishes](Transaction& tx) -> Result<Answers> {
    Answers answers;
    for (const auto& wish : wishes) {
      const auto seq = replay_one(tx, wish);
      if (!seq && !is_answer(seq.error())) return fail(seq.error());
      if (!seq) {
        answers.emplace_back(fail(seq.error()));
        continue;
      }
      auto delivery = load_delivery(tx, *seq);
      if (!delivery) return fail(std::move(delivery.error()));
      answers.push_back(std::move(delivery));
    }
    return answers;
  });
}

async::Task<Result<ReplayJob>> DeliveryBook::start_job(ReplayJob job) {
  // Counted beside the writer: what had ended at the ceiling can only become less.
  job.ceiling = writer_.newest_seq();
  const auto matched = co_await readers_.read(
      [&job](Connection& db) { return count_dead(db, job.filter, job.ceiling); });
  if (!matched) co_return fail(matched.error());
  job.matched = *matched;
  job.state = model::JobState::running;
  job.cursor = 0;
  job.replayed = 0;
  job.skipped = 0;
  job.ended.reset();
  co_return co_await writer_.write(0, [&job](Transaction& tx) -> Result<ReplayJob> {
    job.created = tx.now();
    if (auto done = insert_job(tx, job); !done) return fail(std::move(done.error()));
    return job;
  });
}

async::Task<Result<ReplayJob>> DeliveryBook::step_job(model::JobId id,
                                                      std::vector<DeliveryId> ids) {
  co_return co_await writer_.write(
      0, [id, &ids](Transaction& tx) { return sqlite::step_job(tx, id, ids); });
}

async::Task<Result<ReplayJob>> DeliveryBook::cancel_job(model::JobId id) {
  co_return co_await writer_.write(0, [id](Transaction& tx) { return sqlite::cancel_job(tx, id); });
}

async::Task<Result<std::vector<ReplayJob>>> DeliveryBook::jobs() {
  co_return co_await readers_.read([](Connection& db) { return list_jobs(db); });
}

}  // namespace grapnel::sqlite
