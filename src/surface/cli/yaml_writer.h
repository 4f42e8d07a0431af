// JSON values as YAML that people read and every YAML reader understands alike.
#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace grapnel::cli {

/// Block style, two spaces, keys in their order; ends with a line end. Texts that some reader could
/// take for something else are quoted; bytes that are not UTF-8 become U+FFFD.
std::string to_yaml(const boost::json::value& value);

}  // namespace grapnel::cli
