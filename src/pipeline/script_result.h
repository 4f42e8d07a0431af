// What a transform returned, read with distrust: it comes from a user's script, through a process
// that the script may have taken over.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/delivery_book.h"
#include "model/registry.h"

namespace grapnel::pipeline {

/// One event that a transform made. What is not set stays as it was.
struct MadeEvent {
  std::optional<std::string> type;
  std::optional<std::string> body;
  model::HeaderList set_headers;
  std::vector<std::string> removed_headers;
  std::optional<std::vector<model::ActionId>> actions;  ///< only these, of those that match
};

struct Made {
  using Kind = model::FanoutResult::Kind;
  Kind kind = Kind::event;
  std::vector<MadeEvent> events;  ///< one of `event`, any number of `split`, none of `dropped`
};

/// `json` "": null or undefined, dropped. An object {payload?, headers?, actions?, type?} changes
/// the event; a list of such objects makes several; a field that events have and results have not
/// (id, source, received_at, raw) means nothing, so that a script can return its event. Headers
/// that no sender could set (is_forwardable) mean nothing either; null removes the sender's. A
/// payload is sent as JSON, a text in the place of a body that is no JSON as it is. Error:
/// malformed, one line that names the field.
Result<Made> read_made(std::string_view json, const model::Event& event,
                       const model::SourceEntry& entry);

/// The event went on as it was: there is no script any more.
Made unchanged();

}  // namespace grapnel::pipeline
