// What the suites of all ports share: short words for making definitions, events and deliveries. A
// word whose call fails throws, which GoogleTest reports; a test that is about an error uses
// error_of().
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/id.h"
#include "base/random.h"
#include "contract/store_under_test.h"
#include "doubles/drive.h"
#include "model/errors.h"
#include "model/transform.h"

namespace grapnel::contract {

using model::ActionId;
using model::Appended;
using model::Birth;
using model::Delivery;
using model::DeliveryId;
using model::DeliveryState;
using model::errc;
using model::Lease;
using model::Seq;
using model::Settlement;
using model::SourceId;

/// Seeds of this run: GRAPNEL_SEED or a fixed one; printed by every test that draws from it.
std::uint64_t test_seed();

class StoreContract : public testing::TestWithParam<StoreKind> {
 protected:
  StoreContract();

  model::EventLog& log() { return store_->log(); }
  model::DeliveryBook& book() { return store_->book(); }
  model::Registry& registry() { return store_->registry(); }
  model::Catalog& catalog() { return store_->catalog(); }
  model::Upkeep& upkeep() { return store_->upkeep(); }
  Time now() const { return store_->store_clock().now(); }
  void pass(std::chrono::nanoseconds duration) { store_->clock().advance(duration); }
  /// Lets the loop deliver what it has.
  void run_ready() { doubles::run_ready(store_->loop()); }
  void reopen() { store_->reopen(); }

  template <class T>
  Result<T> run(async::Task<Result<T>> task) {
    return doubles::run(store_->loop(), std::move(task));
  }
  template <class T>
  T must(async::Task<Result<T>> task) {
    Result<T> result = run(std::move(task));
    if (!result) throw std::runtime_error("unexpected error: " + describe(result.error()));
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }
  template <class T>
  std::error_code error_of(async::Task<Result<T>> task) {
    const Result<T> result = run(std::move(task));
    return result ? std::error_code{} : result.error().code;
  }
  static std::string describe(const Error& error) {
    return error.code.message() + ": " + error.context;
  }

  template <class IdType>
  IdType make_id() {
    return ids_->make<IdType>();
  }

  // Definitions.
  SourceId add_source(const std::string& slug, model::SourceMode mode = model::SourceMode::active);
  ActionId add_action(SourceId source, const std::string& name,
                      const std::function<void(model::Action&)>& change = {});
  void change_source(SourceId source, const std::function<void(model::Source&)>& change);
  void change_action(ActionId action, const std::function<void(model::Action&)>& change);
  model::ActionPtr action(ActionId id) { return registry().snapshot()->find_action(id); }
  /// Settles one delivery of the action with a 410 of its current target.
  void make_gone(SourceId source, ActionId action);

  // Events.
  /// A plan for all matching actions, of the newest definitions.
  model::FanoutPlan plan(SourceId source, Birth birth = Birth::pending);
  /// An event of type "test" with a body of its own and no keys.
  model::EventDraft draft(SourceId source, Birth birth = Birth::pending);
  model::EventDraft keyed(SourceId source, const std::string& idempotency_key);
  model::EventDraft ordered(SourceId source, const std::string& ordering_key,
                            Birth birth = Birth::pending);
  static void set_body(model::EventDraft& draft, std::string body);
  Appended append(model::EventDraft draft);
  std::vector<Appended> append_all(std::vector<model::EventDraft> drafts);
  /// Appends an event and gives its only delivery.
  DeliveryId deliver_new(SourceId source) { return append(draft(source)).deliveries.at(0).id; }
  DeliveryId deliver_new(SourceId source, const std::string& ordering_key) {
    return append(ordered(source, ordering_key)).deliveries.at(0).id;
  }
  model::Event read(Seq event);

  // Deliveries.
  model::LeaseBatch lease_batch(ActionId action, int count);
  std::vector<DeliveryId> lease_ids(ActionId action, int count = 100);
  /// The one delivery that is due; throws when it is not exactly one.
  Lease lease(ActionId action);
  Settlement settlement(const Lease& lease, Settlement::Kind kind);
  model::Settled settle(Settlement settlement);
  DeliveryState settle(const Lease& lease, Settlement::Kind kind) {
    return settle(settlement(lease, kind)).state;
  }
  /// Leases the action's one due delivery and ends it so.
  DeliveryId finish(ActionId action, Settlement::Kind kind);
  Delivery delivery(DeliveryId id);
  Result<DeliveryState> cancel(DeliveryId id);
  Result<Delivery> replay(DeliveryId original);
  /// Brings a new delivery of that action into the state.
  DeliveryId delivery_in(SourceId source, ActionId action, DeliveryState state);

  /// Every row of a list, page by page.
  std::vector<Delivery> all_deliveries(model::DeliveryQuery query = {});
  std::vector<DeliveryId> dead_letters(model::DeadQuery query = {});
  /// Steps until there is nothing left to do; throws when there is no end.
  void until_done(const std::function<async::Task<Result<model::StepResult>>()>& step);
  std::int64_t sweep_all(model::RetentionPolicy policy);

  SeededRandom random_;
  std::unique_ptr<StoreUnderTest> store_;

 private:
  std::unique_ptr<StoreClock> id_clock_;
  std::unique_ptr<IdSource> ids_;
  int bodies_ = 0;  // numbers them, so that each is another
};

class EventLogContract : public StoreContract {};
class DeliveryBookContract : public StoreContract {};
class OrderContract : public StoreContract {};
class ReplayContract : public StoreContract {};
class RegistryContract : public StoreContract {};
class CatalogContract : public StoreContract {};
class UpkeepContract : public StoreContract {};
class TransformContract : public StoreContract {
 protected:
  SourceId source_ = add_source("demo");

  void set_script(const std::string& body) {
    change_source(source_, [&](model::Source& source) {
      source.script = std::make_shared<const model::Script>(model::Script{
          .body = body, .name = "demo:transform", .version = ++source.script_versions});
    });
  }
  /// An event that waits for its transform.
  model::Appended append_waiting(Birth birth = Birth::leased, std::optional<std::string> key = {}) {
    model::EventDraft made = key ? ordered(source_, *key) : draft(source_);
    made.plan = waiting_plan(birth);
    return append(std::move(made));
  }
  model::FanoutPlan waiting_plan(Birth birth = Birth::leased) {
    return {
        .revision = registry().snapshot()->find_source(source_)->source.revision,
        .state = model::FanoutState::waiting,
        .deliveries = {
            {.id = make_id<DeliveryId>(), .action = model::transform_of(source_), .birth = birth}}};
  }
  /// The plan for the source's own actions.
  model::FanoutPlan real_plan() {
    model::FanoutPlan out = plan(source_);
    std::erase_if(out.deliveries, [&](const model::DeliveryPlan& one) {
      return one.action == model::transform_of(source_);
    });
    return out;
  }
  model::Lease lease_of(const model::BornDelivery& born) {
    return {.delivery = delivery(born.id), .fence = born.fence};
  }
  model::Settled end(const model::Lease& lease, model::FanoutResult result) {
    Settlement done = settlement(lease, Settlement::Kind::delivered);
    done.fanout = std::move(result);
    return must(book().settle({std::move(done)})).at(0);
  }
  model::FanoutResult passes() { return {.plan = real_plan()}; }
  model::FanoutState state_of(Seq event) { return read(event).fanout; }
};

/// Registers every suite for one kind of store; once in a binary.
#define GRAPNEL_INSTANTIATE_CONTRACT(prefix, kind)                               \
  INSTANTIATE_TEST_SUITE_P(prefix, EventLogContract, testing::Values(kind));     \
  INSTANTIATE_TEST_SUITE_P(prefix, DeliveryBookContract, testing::Values(kind)); \
  INSTANTIATE_TEST_SUITE_P(prefix, OrderContract, testing::Values(kind));        \
  INSTANTIATE_TEST_SUITE_P(prefix, ReplayContract, testing::Values(kind));       \
  INSTANTIATE_TEST_SUITE_P(prefix, RegistryContract, testing::Values(kind));     \
  INSTANTIATE_TEST_SUITE_P(prefix, CatalogContract, testing::Values(kind));      \
  INSTANTIATE_TEST_SUITE_P(prefix, TransformContract, testing::Values(kind));    \
  INSTANTIATE_TEST_SUITE_P(prefix, UpkeepContract, testing::Values(kind))

}  // namespace grapnel::contract
