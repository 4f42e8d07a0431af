// /api/deliveries/{delivery}/attempts: what was tried, each with its request as it was sent.
#pragma once

#include <span>

#include "surface/api/router.h"

namespace grapnel::api {

std::span<const Route> attempt_routes();

}  // namespace grapnel::api
