// The port DeliveryBook on SQLite.
#pragma once

#include "drivers/sqlite/readers.h"
#include "drivers/sqlite/writer.h"
#include "model/delivery_book.h"

namespace grapnel::sqlite {

class DeliveryBook final : public model::DeliveryBook {
 public:
  DeliveryBook(Writer& writer, Readers& readers) : writer_(writer), readers_(readers) {}

  async::Task<Result<model::LeaseBatch>> lease(std::vector<model::LeaseWish> wishes) override;
  async::Task<Result<std::vector<model::Settled>>> settle(
      std::vector<model::Settlement> settlements) override;
  async::Task<Result<std::vector<Result<model::DeliveryState>>>> cancel(
      std::vector<model::DeliveryId> ids) override;
  async::Task<Result<model::Delivery>> retry_now(model::DeliveryId id) override;
  async::Task<Result<model::Delivery>> skip(model::DeliveryId id) override;
  async::Task<Result<std::vector<Result<model::Delivery>>>> replay(
      std::vector<model::ReplayWish> wishes) override;
  async::Task<Result<model::ReplayJob>> start_job(model::ReplayJob job) override;
  async::Task<Result<model::ReplayJob>> step_job(model::JobId id,
                                                 std::vector<model::DeliveryId> ids) override;
  async::Task<Result<model::ReplayJob>> cancel_job(model::JobId id) override;
  async::Task<Result<std::vector<model::ReplayJob>>> jobs() override;
  model::OpenWork open_work(model::ActionId action) const override {
    return writer_.open_work(action);
  }
  void watch_work(std::function<void(const std::vector<model::WorkHint>&)> watcher) override {
    writer_.watch_work(std::move(watcher));
  }

 private:
  Writer& writer_;
  Readers& readers_;
};

}  // namespace grapnel::sqlite
