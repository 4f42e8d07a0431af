// JSON as people read it.
#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace grapnel::model {

/// Compact JSON text (RFC 8259). Fractions are written in the shortest form that reads back as the
/// same number, whole ones without a fraction: 1.5 and 5, where boost::json::serialize has 1.5E0
/// and 5E0.
std::string json_text(const boost::json::value& value);

}  // namespace grapnel::model
