#include "pipeline/outcomes.h"

#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace grapnel::pipeline {

using model::Settlement;

Outcomes::Outcomes(Parts parts)
    : parts_(std::move(parts)),
      retry_(parts_.executor),
      batches_(parts_.executor,
               [&book = parts_.book](std::vector<Settlement> settlements) {
                 return book.settle(std::move(settlements));
               }),
      scope_(parts_.executor) {}

async::Task<std::optional<model::Settled>> Outcomes::write(Settlement settlement) {
  Answer settled = co_await batches_.add(settlement);
  if (!settled) settled = co_await keep(settlement, settled.error());
  if (!settled) co_return std::nullopt;
  store_works();
  parts_.metrics.settled(*settled);
  if (settled->stale) {
    parts_.log_lines.warn("an outcome came after its lease was taken away; it counts nothing",
                          {{"delivery_seq", settlement.delivery}});
  }
  co_return std::move(*settled);
}

async::Task<Outcomes::Answer> Outcomes::keep(const Settlement& settlement, const Error& error) {
  ++kept_;
  store_failed(error);
  if (!offering_ && !given_up_) {
    offering_ = true;
    scope_.spawn(offer_again());
  }
  Answer settled = std::unexpected(error);
  while (!settled && !given_up_) {
    co_await retry_.wait();
    settled = co_await batches_.add(settlement);
  }
  --kept_;
  co_return settled;
}

async::Task<> Outcomes::offer_again() {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  while (kept_ > 0 && !given_up_) {
    co_await parts_.timers.sleep_for(backoff());
    retry_.notify_all();
  }
  offering_ = false;
}

void Outcomes::store_failed(const Error& error) {
  if (!store_up_) return;
  store_up_ = false;
  parts_.log_lines.error("the store cannot be written; no attempt starts until it can",
                         {{"error", error.message()}});
}

void Outcomes::store_works() {
  if (kept_ > 0) return retry_.notify_all();
  backoff_ = kStoreRetryMin;
  if (store_up_) return;
  store_up_ = true;
  parts_.log_lines.info("the store can be written again", {});
  parts_.store_back();
}

Millis Outcomes::backoff() {
  const Millis wait = backoff_;
  backoff_ = std::min(backoff_ * 2, kStoreRetryMax);
  return wait;
}

void Outcomes::give_up() {
  given_up_ = true;
  retry_.notify_all();
}

async::Task<> Outcomes::stop(async::Deadline deadline) {
  scope_.cancel();
  co_await scope_.join(parts_.timers, deadline);
  co_await batches_.stop(parts_.timers, deadline);
}

}  // namespace grapnel::pipeline
