// Looking into a body that may be JSON and is at hand as a whole.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "pipeline/json_scan.h"

namespace grapnel::pipeline {

/// What the body holds at these pointers; nothing where it is no JSON, like JsonScan. A document of
/// it is built for the moment: for bodies that are not large.
BodyValues read_values(std::string_view body, std::span<const std::string> pointers);

/// Any JSON text (RFC 8259), scalars included, nested as JsonScan bears it.
bool is_json(std::string_view body);

}  // namespace grapnel::pipeline
