// /api/keys
#pragma once

#include <span>

#include "surface/api/router.h"

namespace grapnel::api {

std::span<const Route> key_routes();

}  // namespace grapnel::api
