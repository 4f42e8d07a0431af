// /api/sources/{source}/secrets, /quarantine and /verify: who may send to a source, and why a
// request could not.
#pragma once

#include <span>

#include "surface/api/router.h"

namespace grapnel::api {

std::span<const Route> inbound_routes();

}  // namespace grapnel::api
