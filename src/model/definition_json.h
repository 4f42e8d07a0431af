// Sources and actions as JSON: what the API and `grapnel apply` read and show, and what the store
// keeps.
#pragma once

#include "model/action_json.h"  // IWYU pragma: export
#include "model/source_json.h"  // IWYU pragma: export
#include "model/stored_json.h"  // IWYU pragma: export
