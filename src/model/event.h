// An event: one immutable thing that happened, byte for byte as received.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/headers.h"
#include "model/ids.h"

namespace grapnel::model {

/// The fan-out is a work item of the event. Terminal: done, recorded, dropped, cancelled, dead. One
/// that runs a transform is waiting until that delivery ends (model/transform.h).
enum class FanoutState : std::uint8_t {
  held = 0,
  waiting = 1,
  running = 2,  ///< 2 and 3: never set; the numbers are not given again
  retrying = 3,
  done = 4,
  recorded = 5,
  dropped = 6,
  cancelled = 7,
  dead = 8,
};

/// An event as one of its runs sends it; run 0: as received.
struct EventRun {
  EventRun(Seq of, int number = 0) : event(of), run(number) {}
  Seq event;
  int run;
  auto operator<=>(const EventRun&) const = default;
};

using Sha256 = std::array<std::uint8_t, 32>;

struct Event {
  Seq seq = 0;
  EventId id;
  SourceId source;
  std::string type;
  std::string method;
  std::string target;  ///< raw path and query; values of secret parameters replaced by digests
  std::string remote;  ///< address:port of the sender, or what a trusted proxy says it is
  HeaderList headers;  ///< in order, with duplicates; values of secret headers replaced by digests
  std::string body;    ///< empty in lists, which do not load it
  std::uint64_t body_size = 0;
  Sha256 body_sha256{};
  Time received;
  std::string idempotency_place;  ///< "header:webhook-id" or "/id"; "" = no key
  std::string idempotency_key;
  std::optional<std::string> ordering_key;
  std::string verification;  ///< the scheme that verified it; "" = the source verifies nothing
  std::string traceparent;   ///< W3C Trace Context of the sender, or ours; "" = none
  /// What its transform set: goes out over the sender's and whatever an action forwards
  HeaderList set_headers = {};
  std::vector<std::string> removed_headers = {};  ///< of the sender's, by its transform
  std::optional<EventId> parent = {};             ///< of one that a transform made of another
  FanoutState fanout = FanoutState::done;
  int run = 1;  ///< the newest run of its fan-out
};

}  // namespace grapnel::model
