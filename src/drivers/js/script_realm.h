// WORKER. One version of a script in a realm of its own, locked down (lockdown.js), compiled once.
// The script is the body of a function that is entered anew for each call, so that no variable of
// one call exists in the next; what calls share is frozen.
#pragma once

#include <jsapi.h>

#include <chrono>
#include <string>
#include <string_view>

#include "drivers/js/frames.h"

namespace grapnel::js {

class ScriptRealm {
 public:
  /// `function` is what the script has to define, an identifier. Compiles at the first call, under
  /// its time.
  ScriptRealm(JSContext* context, std::string function, std::string name, std::string body);

  /// One call. With `time` below kScriptTimeMax it may end as `slow`.
  AnswerFrame call(std::string_view event, std::string_view body, std::chrono::milliseconds time);
  /// Compiles it and looks for its function, without a call.
  AnswerFrame check(std::chrono::milliseconds time);

 private:
  bool make_realm();
  bool compile(AnswerFrame& answer);
  /// Runs the top level: the script's function.
  bool enter(JS::MutableHandleValue function, AnswerFrame& answer);
  bool forget_matches();
  bool invoke(std::string_view event, std::string_view body, AnswerFrame& answer);
  bool make_event(std::string_view event, std::string_view body, JS::MutableHandleValue value);
  bool take_result(JS::HandleValue value, AnswerFrame& answer);

  JSContext* context_;
  std::string function_name_;
  std::string name_;
  std::string body_;
  AnswerFrame broken_;  // of a script that does not compile: the answer of every call
  JS::PersistentRootedObject global_;
  JS::PersistentRootedFunction function_;
  JS::PersistentRootedObject empty_regexp_;
};

}  // namespace grapnel::js
