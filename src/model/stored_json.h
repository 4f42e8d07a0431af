// Definitions as the store keeps them: everything, sealed secrets included. Fields are only ever
// added; one that an older row lacks reads as its default, one that this version does not know is
// left alone.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/action.h"
#include "model/api_key.h"
#include "model/source.h"

namespace grapnel::model {

std::string to_stored(const Source& source);
std::string to_stored(const Action& action);
/// `last_used` is not part of it: the store keeps it apart.
std::string to_stored(const ApiKey& key);

/// Errors: malformed (not what to_stored wrote).
Result<Source> source_from_stored(std::string_view text);
Result<Action> action_from_stored(std::string_view text);
Result<ApiKey> api_key_from_stored(std::string_view text);

}  // namespace grapnel::model
