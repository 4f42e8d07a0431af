// /api/sources
#pragma once

#include <span>

#include "surface/api/router.h"

namespace grapnel::api {

std::span<const Route> source_routes();

}  // namespace grapnel::api
