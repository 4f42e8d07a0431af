// JSON documents that people send: bounded in size and depth, valid UTF-8, and no name twice in one
// object, since parsers differ in which of the two they believe.
#pragma once

#include <boost/json/value.hpp>

#include <string_view>

#include "base/result.h"

namespace grapnel::api {

/// Error: malformed, with the place (byte offset) of a syntax error or the name of a duplicate. No
/// value is ever repeated in it.
Result<boost::json::value> parse_strict_json(std::string_view text);

}  // namespace grapnel::api
