// /api/status and /api/backup
#pragma once

#include <span>

#include "surface/api/router.h"

namespace grapnel::api {

std::span<const Route> admin_routes();

}  // namespace grapnel::api
