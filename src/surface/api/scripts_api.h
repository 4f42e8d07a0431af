// Scripts: whether one may be saved, its versions, and trying one on a stored event.
#pragma once

#include <optional>
#include <span>

#include "model/script.h"
#include "surface/api/router.h"

namespace grapnel::api {

std::span<const Route> script_routes();

/// Asked before a script that is not in force yet is saved: it has to compile and define its
/// function, in a sandbox. 422 with line and column; 409 where there is no sandbox, 503 where it is
/// busy.
async::Task<std::optional<model::HttpResponse>> refuse_script(const Ports& ports,
                                                              model::ScriptPtr before,
                                                              model::ScriptPtr after);

}  // namespace grapnel::api
