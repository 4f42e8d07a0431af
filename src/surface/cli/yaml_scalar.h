// What a plain YAML scalar means, and which texts must be quoted so that nobody reads them
// otherwise (YAML 1.2 section 10.3.2, and 1.1's types that other readers still use).
#pragma once

#include <boost/json/value.hpp>

#include <string_view>

#include "base/result.h"

namespace grapnel::cli {

/// null, true, false, JSON's numbers, text otherwise. Error: malformed (a number out of range).
Result<boost::json::value> resolve_plain(std::string_view text);

/// Whether a reader of either version could take the plain text for something that is not text.
bool needs_quotes(std::string_view text);

}  // namespace grapnel::cli
