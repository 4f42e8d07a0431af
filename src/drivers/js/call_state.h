// WORKER. What belongs to the call that runs: reached through the context, since the engine's
// callbacks are given nothing else.
#pragma once

#include <jsapi.h>

#include "drivers/js/console.h"
#include "drivers/js/watchdog.h"

namespace grapnel::js {

struct CallState {
  explicit CallState(JSContext* context) : watchdog(context) {
    JS_SetContextPrivate(context, this);
  }

  static CallState& of(JSContext* context) {
    return *static_cast<CallState*>(JS_GetContextPrivate(context));
  }

  Watchdog watchdog;
  Console console;
};

}  // namespace grapnel::js
