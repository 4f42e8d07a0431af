// What the server finds wrong with a request, in words.
#pragma once

#include "model/http.h"

namespace grapnel::api {

/// The answer ends the connection: what follows on it cannot be told apart any more.
model::HttpResponse fault_answer(model::HttpFault fault);

}  // namespace grapnel::api
