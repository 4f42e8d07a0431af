// /api/sources/{source}/actions: what a source does with its events.
#pragma once

#include <span>

#include "surface/api/router.h"

namespace grapnel::api {

std::span<const Route> action_routes();

}  // namespace grapnel::api
