// WORKER. From what the engine says when it fails to what a call answers.
#pragma once

#include <jsapi.h>

#include <string>
#include <string_view>

#include "drivers/js/frames.h"

namespace grapnel::js {

/// What stands before the user's text, in its first line: columns there are moved by its length.
inline constexpr std::string_view kPrologue = "\"use strict\"; ";

/// Takes the pending exception, or the lack of one, into `answer`: the watchdog's verdict, memory,
/// or `otherwise`. `script` is the file name that the script was compiled with.
void take_failure(JSContext* context, const std::string& script, Verdict otherwise,
                  AnswerFrame& answer);

}  // namespace grapnel::js
