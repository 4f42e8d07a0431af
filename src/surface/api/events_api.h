// /api/events
#pragma once

#include <span>

#include "surface/api/router.h"

namespace grapnel::api {

std::span<const Route> event_routes();

}  // namespace grapnel::api
