#include "model/transform.h"

#include <algorithm>

namespace grapnel::model {
namespace {

/// Half a second of script, three times: what fails then is the script's fault, or the event's.
RetryPolicy transform_retries() {
  RetryPolicy policy;
  policy.schedule = {kTransformRetryFirst, kTransformRetrySecond};
  return policy;
}

}  // namespace

std::optional<Action> wanted_transform(const SourceEntry& entry) {
  const ActionId id = transform_of(entry.source.id);
  const auto known =
      std::ranges::find(entry.actions, id, [](const ActionPtr& one) { return one->id; });
  const bool is_known = known != entry.actions.end();
  if (entry.source.deleting || (!is_known && !entry.source.script)) return std::nullopt;
  const bool blocks = std::ranges::any_of(entry.actions, [&](const ActionPtr& action) {
    return action->id != id && !action->deleting && action->on_dead == OnDead::block;
  });
  const OnDead on_dead = blocks ? OnDead::block : OnDead::go_on;
  if (is_known && (*known)->on_dead == on_dead) return std::nullopt;
  Action out = is_known ? **known : Action{};
  out.on_dead = on_dead;
  if (is_known) return out;
  out.id = id;
  out.source = entry.source.id;
  out.name = kTransform;
  out.type = kTransform;
  out.max_in_flight = kTransformsInFlightMax;
  out.retry = transform_retries();
  out.managed_by = entry.source.managed_by;
  return out;
}

void apply(const Transformed& result, Event& event) {
  if (result.type) event.type = *result.type;
  event.set_headers = result.set_headers;
  event.removed_headers = result.removed_headers;
  if (!result.body) return;
  event.body = *result.body;
  event.body_size = result.body_size;
  event.body_sha256 = result.body_sha256;
}

bool goes_through_transform(const SourceEntry& entry, Keyed keyed, std::int64_t open_in_transform) {
  return entry.source.script || (keyed == Keyed::yes && open_in_transform > 0);
}

}  // namespace grapnel::model
