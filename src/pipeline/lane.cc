#include "pipeline/lane.h"

#include <algorithm>
#include <utility>

#include "model/transform.h"
#include "pipeline/limits.h"

namespace grapnel::pipeline {

Ready born_ready(const model::Appended& appended, const model::BornDelivery& born,
                 model::ActionId action, model::EventPtr event) {
  Ready ready{.event = std::move(event)};
  ready.bytes = ready.event->body_size;
  ready.lease.fence = born.fence;
  model::Delivery& delivery = ready.lease.delivery;
  delivery.seq = born.seq;
  delivery.id = born.id;
  delivery.event_seq = appended.seq;
  delivery.event = ready.event->id;
  delivery.event_type = ready.event->type;
  delivery.source = ready.event->source;
  delivery.action = action;
  delivery.state = model::DeliveryState::running;
  delivery.created = ready.event->received;
  delivery.due = ready.event->received;
  delivery.body_size = ready.event->body_size;
  delivery.run = ready.event->run;
  return ready;
}

model::EventRun run_of(const model::Delivery& delivery) {
  return {delivery.event_seq, model::is_transform(delivery) ? 0 : delivery.run};
}

void Lane::refresh(const model::RegistrySnapshot& snapshot, model::ActionId id) {
  const auto now = snapshot.find_action(id);
  if (!now) {
    // One that was never seen may be newer than the snapshot.
    if (action) life = Life::removed;
  } else {
    const auto entry = snapshot.find_source(now->source);
    life = entry && entry->source.deleting ? Life::leaving : Life::known;
  }
  action = now;
}

std::optional<model::HealthReport> Lane::note_result(model::AttemptResult result,
                                                     const model::Action& current,
                                                     model::Revision target,
                                                     std::string_view error) {
  using model::Health;
  if (result == model::AttemptResult::succeeded) {
    failures = 0;
    if (current.health != Health::failing) return std::nullopt;
    return model::HealthReport{.health = Health::ok, .target_revision = target};
  }
  const bool fails = result == model::AttemptResult::failed && ++failures >= kFailingAfter;
  if (!fails || current.health != Health::ok) return std::nullopt;
  return model::HealthReport{
      .health = Health::failing, .target_revision = target, .reason = std::string(error)};
}

bool Lane::is_open() const {
  return action && life == Life::known && !action->deleting &&
         action->desired == model::DesiredState::active &&
         (action->health == model::Health::ok || action->health == model::Health::failing);
}

bool Lane::may_start() const {
  return is_open() && attempting < action->max_in_flight && settling < kSettlingMax;
}

std::size_t Lane::ahead() const {
  const auto rounds = static_cast<std::size_t>(action ? action->max_in_flight : 1) * 4;
  return std::clamp<std::size_t>(rounds, 16, kReadyAheadMax);
}

std::size_t Lane::room(std::uint64_t ready_bytes_of_all) const {
  const std::size_t used = ready.size() + reserved;
  if (used > ahead() / 2) return 0;
  if (ready_bytes >= kReadyBytesMax || ready_bytes_of_all >= kReadyBytesTotalMax) {
    return used == 0 ? 1 : 0;
  }
  return ahead() - used;
}

bool Lane::is_idle() const {
  if (!ready.empty() || reserved > 0 || attempting > 0 || settling > 0) return false;
  return life == Life::removed || (!next_due && failures == 0);
}

}  // namespace grapnel::pipeline
