// What a script is given of its event.
#pragma once

#include <string>

#include "model/event.h"
#include "model/registry.h"

namespace grapnel::pipeline {

/// JSON object {id, type, source, received_at, headers, actions}: names of headers in lower case,
/// values of one name joined by ", " (RFC 9110 section 5.3), secrets as their digests. `actions`
/// are those that may take the event, as {id, name, type, target_url}; without payload and raw,
/// which the sandbox adds (model/sandbox.h).
std::string script_event(const model::Event& event, const model::SourceEntry& entry);

/// The value that script_event() gives that header; nothing: there is none.
std::optional<std::string> joined_header(const model::HeaderList& headers, std::string_view name);

}  // namespace grapnel::pipeline
