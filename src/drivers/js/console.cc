#include "drivers/js/console.h"

#include <js/Array.h>
#include <js/BigInt.h>
#include <js/CallAndConstruct.h>
#include <js/Conversions.h>
#include <js/Exception.h>
#include <js/JSON.h>
#include <js/PropertyAndElement.h>
#include <js/String.h>
#include <js/Symbol.h>

#include <algorithm>

#include "base/utf8.h"
#include "drivers/js/call_state.h"
#include "drivers/js/limits.h"
#include "drivers/js/text.h"

namespace grapnel::js {
namespace {

constexpr std::string_view kCutMark = "\n[the console is full]";

bool append_json(const char16_t* units, std::uint32_t count, void* out) {
  // Cutting it is no failure: what does not fit is not shown.
  append_utf8(*static_cast<std::string*>(out), units, count, model::kConsoleBytesMax);
  return true;
}

bool console_log(JSContext* context, unsigned count, JS::Value* values) {
  const JS::CallArgs arguments = JS::CallArgsFromVp(count, values);
  arguments.rval().setUndefined();
  return CallState::of(context).console.write(context, arguments);
}

/// The exception is the script's own (a getter, a toJSON) and stays inside the console. False:
/// there is none, or it is the end of the call.
bool swallow_exception(JSContext* context) {
  if (!JS_IsExceptionPending(context) || JS_IsThrowingOutOfMemory(context)) return false;
  JS_ClearPendingException(context);
  return true;
}

}  // namespace

void Console::clear() {
  text_.clear();
  full_ = false;
}

bool Console::write(JSContext* context, const JS::CallArgs& arguments) {
  if (full_) return true;
  if (!text_.empty()) append("\n");
  const auto count = std::min<unsigned>(arguments.length(), kConsoleValuesMax);
  for (unsigned i = 0; i < count && !full_; ++i) {
    if (i > 0) append(" ");
    if (!append_value(context, arguments[i])) return false;
  }
  return true;
}

bool Console::append_value(JSContext* context, JS::HandleValue value) {
  std::string part;
  JS::RootedString text(context);
  if (value.isObject()) {
    JS::RootedObject object(context, &value.toObject());
    return append_object(context, object);
  }
  if (value.isSymbol()) {
    JS::RootedSymbol symbol(context, value.toSymbol());
    text = JS::GetSymbolDescription(symbol);
    part = "Symbol(";
    if (text && !append_string(context, text, part, model::kConsoleBytesMax)) return false;
    append(part + ")");
    return true;
  }
  text = JS::ToString(context, value);
  if (!text || !append_string(context, text, part, model::kConsoleBytesMax)) return false;
  append(value.isBigInt() ? part + "n" : part);
  return true;
}

bool Console::append_object(JSContext* context, JS::HandleObject object) {
  std::string part;
  JS::RootedValue value(context, JS::ObjectValue(*object));
  if (JS::IsCallable(object)) {
    append("[function]");
    return true;
  }
  // Errors have nothing that JSON shows: as text they say what happened.
  if (JS_ErrorFromException(context, object) != nullptr) {
    JS::RootedString text(context, JS::ToString(context, value));
    if (!text) {
      append("[error]");
      return swallow_exception(context);
    }
    if (!append_string(context, text, part, model::kConsoleBytesMax)) return false;
  } else if (!JS_Stringify(context, &value, nullptr, JS::NullHandleValue, append_json, &part)) {
    append("[object that is not JSON]");
    return swallow_exception(context);
  }
  append(part);
  return true;
}

void Console::append(std::string_view part) {
  if (full_) return;
  if (text_.size() + part.size() + kCutMark.size() > model::kConsoleBytesMax) {
    text_ += cut_utf8(part, model::kConsoleBytesMax - kCutMark.size() - text_.size());
    text_ += kCutMark;
    full_ = true;
  } else {
    text_ += part;
  }
}

bool define_console(JSContext* context, JS::HandleObject global) {
  JS::RootedObject console(context, JS_NewPlainObject(context));
  if (!console) return false;
  for (const char* name : {"log", "info", "warn", "error", "debug", "trace"}) {
    if (!JS_DefineFunction(context, console, name, console_log, 0, 0)) return false;
  }
  return JS_DefineProperty(context, global, "console", console, 0);
}

}  // namespace grapnel::js
