// A source's transform is an action like any other, made and kept by the registry: an event of a
// source with a script goes to it alone, and when its delivery is delivered, the event's other
// deliveries come into being in the same transaction. So a fan-out that runs a script is leased,
// retried, ordered, dead-lettered and replayed by the rules of deliveries.
#pragma once

#include <optional>
#include <string_view>

#include "model/event_log.h"
#include "model/registry.h"

namespace grapnel::model {

inline constexpr std::string_view kWebhook = "webhook";
inline constexpr std::string_view kJavascript = "javascript";
inline constexpr std::string_view kTransform = "transform";

/// The transform of a source bears the source's number.
inline ActionId transform_of(SourceId source) { return {source.bytes}; }
inline bool is_transform(const Action& action) { return action.type == kTransform; }
inline bool is_transform(const Delivery& delivery) {
  return delivery.action == transform_of(delivery.source);
}

/// The transform of the entry's source as its definitions want it: nothing when they want none and
/// there is none, or when the one that is there is right. Once made it stays, so that what waits
/// for it ends; without a script it lets events pass as they are.
std::optional<Action> wanted_transform(const SourceEntry& entry);

/// `event`, with its body, as the result has it sent. The result's body is not in a file.
void apply(const Transformed& result, Event& event);

enum class Keyed : bool { no, yes };
inline Keyed keyed(const Event& event) { return event.ordering_key ? Keyed::yes : Keyed::no; }
/// Whether a new event of the source must go through its transform. An event with an ordering key
/// does even without a script, as long as earlier ones may be under way there.
bool goes_through_transform(const SourceEntry& entry, Keyed keyed, std::int64_t open_in_transform);

}  // namespace grapnel::model
