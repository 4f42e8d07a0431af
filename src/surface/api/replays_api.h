// /api/dead-letters and /api/replays: the list of what died, and durable jobs that replay much of
// it.
#pragma once

#include <span>

#include "surface/api/router.h"

namespace grapnel::api {

std::span<const Route> replay_routes();

}  // namespace grapnel::api
