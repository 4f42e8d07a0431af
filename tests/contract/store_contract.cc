#include "contract/store_contract.h"

#include <cstdlib>

#include "crypto/digest.h"

namespace grapnel::contract {

using namespace model;
using model::errc;

std::uint64_t test_seed() {
  const char* text = std::getenv("GRAPNEL_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 20'260'101;
}

StoreContract::StoreContract() : random_(test_seed()), store_(GetParam().make()) {
  id_clock_ = std::make_unique<StoreClock>(store_->clock(), Time{});
  ids_ = std::make_unique<IdSource>(*id_clock_, random_);
}

SourceId StoreContract::add_source(const std::string& slug, SourceMode mode) {
  Source source;
  source.id = make_id<SourceId>();
  source.slug = slug;
  source.name = slug;
  source.mode = mode;
  must(registry().commit({PutSource{.source = source}}));
  return source.id;
}

ActionId StoreContract::add_action(SourceId source, const std::string& name,
                                   const std::function<void(Action&)>& change) {
  Action action;
  action.id = make_id<ActionId>();
  action.source = source;
  action.name = name;
  action.target_url = "https://receiver.test/" + name;
  action.target_revision = 1;
  if (change) change(action);
  must(registry().commit({PutAction{.action = action}}));
  return action.id;
}

void StoreContract::change_source(SourceId id, const std::function<void(Source&)>& change) {
  Source source = registry().snapshot()->find_source(id)->source;
  const Revision expected = source.revision;
  change(source);
  must(registry().commit({PutSource{.source = source, .expected = expected}}));
}

void StoreContract::change_action(ActionId id, const std::function<void(Action&)>& change) {
  Action fresh = *action(id);
  const Revision expected = fresh.revision;
  change(fresh);
  must(registry().commit({PutAction{.action = fresh, .expected = expected}}));
}

void StoreContract::make_gone(SourceId source, ActionId id) {
  const Appended event = append(draft(source, Birth::leased));
  for (const BornDelivery& born : event.deliveries) {
    const Delivery made = delivery(born.id);
    if (made.action != id) continue;
    Settlement gone = settlement({.delivery = made, .fence = born.fence}, Settlement::Kind::dead);
    gone.reason = EndReason::endpoint_gone;
    gone.health = HealthReport{.health = Health::gone,
                               .target_revision = action(id)->target_revision,
                               .reason = "410 Gone"};
    settle(gone);
    run_ready();
    if (action(id)->health != Health::gone) throw std::runtime_error("a 410 changed nothing");
    return;
  }
  throw std::runtime_error("the event has no delivery of that action");
}

FanoutPlan StoreContract::plan(SourceId source, Birth birth) {
  FanoutPlan out;
  const SourcePtr entry = registry().snapshot()->find_source(source);
  if (!entry) return out;
  out.revision = entry->source.revision;
  if (entry->source.mode == SourceMode::paused) out.state = FanoutState::held;
  if (entry->source.mode == SourceMode::record) out.state = FanoutState::recorded;
  if (entry->source.mode != SourceMode::active) return out;
  for (const ActionPtr& action : entry->actions) {
    if (!matches(*action, "test")) continue;
    out.deliveries.push_back({.id = make_id<DeliveryId>(), .action = action->id, .birth = birth});
  }
  return out;
}

EventDraft StoreContract::draft(SourceId source, Birth birth) {
  EventDraft out;
  out.event.id = make_id<EventId>();
  out.event.source = source;
  out.event.type = "test";
  out.event.method = "POST";
  out.event.target = "/webhooks/demo";
  out.event.remote = "192.0.2.1:4711";
  out.event.received = now();
  set_body(out, "body " + std::to_string(++bodies_));
  out.plan = plan(source, birth);
  return out;
}

EventDraft StoreContract::keyed(SourceId source, const std::string& idempotency_key) {
  EventDraft out = draft(source);
  out.event.idempotency_place = "header:X-Idempotency-Key";
  out.event.idempotency_key = idempotency_key;
  return out;
}

EventDraft StoreContract::ordered(SourceId source, const std::string& ordering_key, Birth birth) {
  EventDraft out = draft(source, birth);
  out.event.ordering_key = ordering_key;
  return out;
}

void StoreContract::set_body(EventDraft& draft, std::string body) {
  draft.event.body_sha256 = crypto::sha256(body);
  draft.event.body_size = body.size();
  draft.event.body = std::move(body);
}

Appended StoreContract::append(EventDraft draft) {
  std::vector<EventDraft> one;
  one.push_back(std::move(draft));
  return append_all(std::move(one)).at(0);
}

std::vector<Appended> StoreContract::append_all(std::vector<EventDraft> drafts) {
  return must(log().append(std::move(drafts)));
}

Event StoreContract::read(Seq event) {
  const auto answers = must(log().read({event}));
  const Result<EventPtr>& answer = answers.at(0);
  if (!answer) throw std::runtime_error(describe(answer.error()));
  if (!*answer) throw std::runtime_error("the event is not there");
  return **answer;
}

LeaseBatch StoreContract::lease_batch(ActionId action, int count) {
  return must(book().lease({LeaseWish{.action = action, .count = count}}));
}

std::vector<DeliveryId> StoreContract::lease_ids(ActionId action, int count) {
  std::vector<DeliveryId> out;
  for (const Lease& lease : lease_batch(action, count).leases) out.push_back(lease.delivery.id);
  return out;
}

Lease StoreContract::lease(ActionId action) {
  auto leases = lease_batch(action, 100).leases;
  if (leases.size() != 1) {
    throw std::runtime_error(std::to_string(leases.size()) + " deliveries are due, not one");
  }
  return leases[0];
}

Settlement StoreContract::settlement(const Lease& lease, Settlement::Kind kind) {
  Settlement out{.delivery = lease.delivery.seq, .fence = lease.fence, .kind = kind};
  if (kind == Settlement::Kind::retry) out.due = now() + std::chrono::seconds{5};
  if (kind == Settlement::Kind::dead) out.reason = EndReason::final_failure;
  Attempt attempt;
  attempt.id = make_id<AttemptId>();
  attempt.number = lease.delivery.attempts + 1;
  attempt.started = now();
  attempt.timings.total_us = 1'234;
  switch (kind) {
    case Settlement::Kind::delivered:
      attempt.result = AttemptResult::succeeded;
      attempt.response_status = 204;
      break;
    case Settlement::Kind::retry:
    case Settlement::Kind::dead:
      attempt.result = AttemptResult::failed;
      attempt.step = AttemptStep::status;
      attempt.response_status = 503;
      attempt.error = "status: 503 Service Unavailable";
      break;
    case Settlement::Kind::hand_back: return out;  // never used
    case Settlement::Kind::unknown:
      attempt.result = AttemptResult::unknown;
      attempt.error = "unknown: the lease expired";
      break;
  }
  out.attempt = std::move(attempt);
  return out;
}

Settled StoreContract::settle(Settlement settlement) {
  std::vector<Settlement> one;
  one.push_back(std::move(settlement));
  return must(book().settle(std::move(one))).at(0);
}

DeliveryId StoreContract::finish(ActionId action, Settlement::Kind kind) {
  const Lease leased = lease(action);
  settle(leased, kind);
  return leased.delivery.id;
}

Delivery StoreContract::delivery(DeliveryId id) {
  auto found = must(catalog().delivery(id));
  if (!found) throw std::runtime_error("no delivery " + id.str());
  return *found;
}

Result<DeliveryState> StoreContract::cancel(DeliveryId id) {
  return must(book().cancel({id})).at(0);
}

Result<Delivery> StoreContract::replay(DeliveryId original) {
  return must(book().replay({ReplayWish{.original = original, .replay = make_id<DeliveryId>()}}))
      .at(0);
}

DeliveryId StoreContract::delivery_in(SourceId source, ActionId action, DeliveryState state) {
  const bool leased = state != DeliveryState::pending && state != DeliveryState::cancelled;
  const Appended event = append(draft(source, leased ? Birth::leased : Birth::pending));
  for (const BornDelivery& born : event.deliveries) {
    const Delivery made = delivery(born.id);
    if (made.action != action) continue;
    const Lease lease{.delivery = made, .fence = born.fence};
    if (state == DeliveryState::retrying) settle(lease, Settlement::Kind::retry);
    if (state == DeliveryState::delivered) settle(lease, Settlement::Kind::delivered);
    if (state == DeliveryState::dead) settle(lease, Settlement::Kind::dead);
    if (state == DeliveryState::cancelled) static_cast<void>(cancel(born.id));
    if (delivery(born.id).state != state) throw std::runtime_error("it has another state");
    return born.id;
  }
  throw std::runtime_error("the event has no delivery of that action");
}

std::vector<Delivery> StoreContract::all_deliveries(DeliveryQuery query) {
  std::vector<Delivery> out;
  do {
    auto page = must(catalog().deliveries(query));
    for (Delivery& item : page.items) out.push_back(std::move(item));
    query.after = page.next;
  } while (query.after);
  return out;
}

std::vector<DeliveryId> StoreContract::dead_letters(DeadQuery query) {
  std::vector<DeliveryId> out;
  do {
    const auto page = must(catalog().dead_letters(query));
    for (const Delivery& item : page.items) out.push_back(item.id);
    query.after = page.next;
  } while (query.after);
  return out;
}

void StoreContract::until_done(const std::function<async::Task<Result<StepResult>>()>& step) {
  for (int i = 0; i < 1'000; ++i) {
    if (must(step()) == StepResult::done) return;
  }
  throw std::runtime_error("the steps do not end");
}

std::int64_t StoreContract::sweep_all(RetentionPolicy policy) {
  std::int64_t events = 0;
  for (int i = 0; i < 1'000; ++i) {
    const Swept swept = must(upkeep().sweep(policy));
    events += swept.events;
    if (swept.step == StepResult::done) return events;
  }
  throw std::runtime_error("the sweep does not end");
}

}  // namespace grapnel::contract
