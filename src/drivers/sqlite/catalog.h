// Pages for people, on the readers' connections. Every list is a walk through sets of numbers
// (seq_set.h), so it neither scans a table nor sorts, wherever its cursor stands.
#pragma once

#include "drivers/sqlite/bodies.h"
#include "drivers/sqlite/readers.h"
#include "drivers/sqlite/results.h"
#include "drivers/sqlite/scripts.h"
#include "model/catalog.h"

namespace grapnel::sqlite {

class Catalog final : public model::Catalog {
 public:
  /// Both outlive it. Cursors of another generation are refused.
  Catalog(Readers& readers, const Bodies& bodies, std::int64_t generation)
      : readers_(readers), bodies_(bodies), generation_(generation) {}

  async::Task<Result<model::Page<model::Event>>> events(model::EventQuery query) override;
  async::Task<Result<std::optional<model::Event>>> event(model::EventId id, WithBody body) override;
  async::Task<Result<model::Page<model::Delivery>>> deliveries(model::DeliveryQuery query) override;
  async::Task<Result<std::optional<model::Delivery>>> delivery(model::DeliveryId id) override;
  async::Task<Result<std::vector<model::Attempt>>> attempts(model::Seq delivery) override;
  async::Task<Result<model::Page<model::Delivery>>> dead_letters(model::DeadQuery query) override;
  async::Task<Result<std::int64_t>> count_dead(model::SourceScope scope,
                                               model::DeadFilter filter) override;
  async::Task<Result<std::optional<model::Action>>> action_at(model::ActionId id,
                                                              model::Revision revision) override;
  async::Task<Result<std::vector<model::ScriptVersion>>> scripts(IdBytes owner) override {
    co_return co_await readers_.read([owner](Connection& db) { return read_scripts(db, owner); });
  }
  async::Task<Result<std::vector<model::Event>>> splits(model::EventId parent) override {
    co_return co_await readers_.read([parent](Connection& db) { return read_splits(db, parent); });
  }

 private:
  Readers& readers_;
  const Bodies& bodies_;
  const std::int64_t generation_;
};

}  // namespace grapnel::sqlite
