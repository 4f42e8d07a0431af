// WORKER. From what the engine says when it fails to what a call answers.
#pragma once

#include <jsapi.h>

#include <string>

#include "drivers/js/frames.h"

namespace grapnel::js {

/// Lines that stand before the first line of the user's text in what is compiled.
inline constexpr std::uint32_t kLinesBefore = 2;

/// Takes the pending exception, or the lack of one, into `answer`: the watchdog's verdict, memory,
/// or `otherwise`. `script` is the file name that the script was compiled with.
void take_failure(JSContext* context, const std::string& script, Verdict otherwise,
                  AnswerFrame& answer);

}  // namespace grapnel::js
