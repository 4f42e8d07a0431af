// The ports between the pipeline and its doubles: they tell the judge what passes, let reads fail,
// and play the tricks of a mutation. Without a trick they change nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/scope.h"
#include "async/timers.h"
#include "doubles/memory_store.h"
#include "model/http.h"
#include "sim/judge.h"
#include "sim/mutation.h"

namespace grapnel::sim {

class SimLog final : public model::EventLog {
 public:
  SimLog(async::Loop& loop, model::EventLog& log, Judge& judge, Trick trick)
      : log_(log), judge_(judge), trick_(trick), early_(loop.get_executor()) {}

  enum class Reads : std::uint8_t { good, failing };
  void set_reads(Reads reads) { reads_ = reads; }
  Reads reads() const { return reads_; }
  /// Waits for what a trick left behind.
  async::Task<> join() { return early_.join(); }

  async::Task<Result<std::vector<model::Appended>>> append(
      std::vector<model::EventDraft> drafts) override;
  async::Task<Result<std::string>> write_body(std::shared_ptr<const std::string> body) override {
    return log_.write_body(std::move(body));
  }
  void drop_body(const std::string& name) override {
    if (trick_ != Trick::bodies_left) log_.drop_body(name);
  }
  async::Task<Result<std::vector<model::EventPtr>>> held(model::SourceId source,
                                                         int limit) override;
  async::Task<Result<std::vector<model::Appended>>> fan_out(
      std::vector<model::FanoutDraft> drafts) override {
    return log_.fan_out(std::move(drafts));
  }
  async::Task<Result<std::vector<Result<model::EventPtr>>>> read(
      std::vector<model::EventRun> events) override;
  model::HeldWork held_work(model::SourceId source) const override {
    return log_.held_work(source);
  }

 private:
  async::Task<> append_late(std::vector<model::EventDraft> drafts);

  model::EventLog& log_;
  Judge& judge_;
  Trick trick_;
  Reads reads_ = Reads::good;
  async::Scope early_;
};

class SimBook final : public model::DeliveryBook {
 public:
  /// Its reads fail with those of `log`.
  SimBook(doubles::MemoryStore& store, const SimLog& log, async::Timers& timers, Judge& judge,
          Trick trick)
      : store_(store), log_(log), timers_(timers), judge_(judge), trick_(trick) {}

  async::Task<Result<model::LeaseBatch>> lease(std::vector<model::LeaseWish> wishes) override;
  async::Task<Result<std::vector<model::Settled>>> settle(
      std::vector<model::Settlement> settlements) override;
  async::Task<Result<std::vector<Result<model::DeliveryState>>>> cancel(
      std::vector<model::DeliveryId> ids) override {
    return store_.cancel(std::move(ids));
  }
  async::Task<Result<model::Delivery>> retry_now(model::DeliveryId id) override {
    return store_.retry_now(id);
  }
  async::Task<Result<model::Delivery>> skip(model::DeliveryId id) override {
    return store_.skip(id);
  }
  async::Task<Result<std::vector<Result<model::Delivery>>>> replay(
      std::vector<model::ReplayWish> wishes) override {
    return store_.replay(std::move(wishes));
  }
  async::Task<Result<model::ReplayJob>> start_job(model::ReplayJob job) override {
    return store_.start_job(std::move(job));
  }
  async::Task<Result<model::ReplayJob>> step_job(model::JobId id,
                                                 std::vector<model::DeliveryId> ids) override {
    return store_.step_job(id, std::move(ids));
  }
  async::Task<Result<model::ReplayJob>> cancel_job(model::JobId id) override {
    return store_.cancel_job(id);
  }
  async::Task<Result<std::vector<model::ReplayJob>>> jobs() override;
  model::OpenWork open_work(model::ActionId action) const override {
    return store_.open_work(action);
  }
  void watch_work(std::function<void(const std::vector<model::WorkHint>&)> watcher) override;

 private:
  doubles::MemoryStore& store_;
  const SimLog& log_;
  async::Timers& timers_;
  Judge& judge_;
  Trick trick_;
  int hints_ = 0;
};

class SimRegistry final : public model::Registry {
 public:
  SimRegistry(model::Registry& registry, Trick trick) : registry_(registry), trick_(trick) {}

  model::SnapshotPtr snapshot() const override { return bend(registry_.snapshot()); }
  void watch(std::function<void(model::SnapshotPtr)> watcher) override;
  async::Task<Result<model::SnapshotPtr>> commit(
      std::vector<model::RegistryChange> changes) override {
    return registry_.commit(std::move(changes));
  }
  async::Task<Result<>> touch_keys(std::vector<std::pair<model::KeyId, Time>> uses) override {
    return registry_.touch_keys(std::move(uses));
  }

 private:
  model::SnapshotPtr bend(model::SnapshotPtr snapshot) const;

  model::Registry& registry_;
  Trick trick_;
};

/// What an endpoint does with one call.
struct Reply {
  int status = 200;  ///< 0: the connection is reset
  Millis delay{0};
  std::optional<int> retry_after;  ///< seconds
};

class SimSender final : public model::HttpSender {
 public:
  using Endpoints = std::function<Reply(const model::HttpCall&)>;
  SimSender(async::Timers& timers, Judge& judge, Endpoints endpoints, Trick trick)
      : timers_(timers), judge_(judge), endpoints_(std::move(endpoints)), trick_(trick) {}

  Result<> check_url(std::string_view) const override { return {}; }
  async::Task<std::expected<model::HttpAnswer, model::HttpFailure>> send(
      model::HttpCall call) override;

 private:
  async::Timers& timers_;
  Judge& judge_;
  Endpoints endpoints_;
  Trick trick_;
};

}  // namespace grapnel::sim
