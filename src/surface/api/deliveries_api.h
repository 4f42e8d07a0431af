// /api/deliveries, and the original relay's view of an event as a delivery (ids evt_…).
#pragma once

#include <span>

#include "surface/api/router.h"

namespace grapnel::api {

std::span<const Route> delivery_routes();

}  // namespace grapnel::api
