#include "drivers/js/script_realm.h"

#include <js/CallAndConstruct.h>
#include <js/CharacterEncoding.h>
#include <js/CompilationAndEvaluation.h>
#include <js/Exception.h>
#include <js/GlobalObject.h>
#include <js/JSON.h>
#include <js/Promise.h>
#include <js/PropertyAndElement.h>
#include <js/Realm.h>
#include <js/RealmOptions.h>
#include <js/RegExp.h>
#include <js/SourceText.h>
#include <js/String.h>

#include <algorithm>
#include <utility>

#include "drivers/js/call_state.h"
#include "drivers/js/embedded.h"
#include "drivers/js/failure.h"
#include "drivers/js/text.h"

GRAPNEL_EMBED(lockdown, GRAPNEL_LOCKDOWN);

namespace grapnel::js {
namespace {

constexpr JSClass kGlobalClass = {
    "global", JSCLASS_GLOBAL_FLAGS, &JS::DefaultGlobalClassOps, nullptr, nullptr, nullptr};

/// A text that is being written, and whether it was too long.
struct Result {
  std::string& text;
  bool too_long = false;
};

bool write_result(const char16_t* units, std::uint32_t count, void* data) {
  Result& result = *static_cast<Result*>(data);
  result.too_long = !append_utf8(result.text, units, count, model::kScriptResultBytesMax);
  return !result.too_long;
}

bool evaluate(JSContext* context, std::string_view source, const char* file) {
  JS::CompileOptions options(context);
  options.setFileAndLine(file, 1);
  JS::SourceText<mozilla::Utf8Unit> text;
  JS::RootedValue ignored(context);
  return text.init(context, source.data(), source.size(), JS::SourceOwnership::Borrowed) &&
         JS::Evaluate(context, options, text, &ignored);
}

/// Whether JSON may begin so: what surely is none is not worth an exception.
bool may_be_json(std::string_view text) {
  const std::size_t at = text.find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && std::string_view("{[\"-0123456789tfn").contains(text[at]);
}

bool parse(JSContext* context, std::string_view text, JS::MutableHandleValue value) {
  JS::RootedString string(context,
                          JS_NewStringCopyUTF8N(context, JS::UTF8Chars(text.data(), text.size())));
  return string && JS_ParseJSON(context, string, value);
}

/// Errors that the parser finds behind the user's text, in ours: braces that do not match.
void keep_in_text(std::string_view body, AnswerFrame& answer) {
  const auto lines = static_cast<std::uint32_t>(std::ranges::count(body, '\n') + 1);
  if (answer.message.contains("garbage after function body")) {
    answer.message = "SyntaxError: one closing brace too many";
  }
  if (answer.line <= lines) return;
  answer.line = lines;
  answer.column = 0;
}

}  // namespace

ScriptRealm::ScriptRealm(JSContext* context, std::string function, std::string name,
                         std::string body)
    : context_(context),
      function_name_(std::move(function)),
      name_(std::move(name)),
      body_(std::move(body)),
      global_(context),
      function_(context),
      empty_regexp_(context) {}

bool ScriptRealm::make_realm() {
  JS::RealmOptions options;
  options.creationOptions()
      .setSharedMemoryAndAtomicsEnabled(false)
      .setWeakRefsEnabled(JS::WeakRefSpecifier::Disabled)
      .setStreamsEnabled(false);
  JS::RootedObject global(context_, JS_NewGlobalObject(context_, &kGlobalClass, nullptr,
                                                       JS::DontFireOnNewGlobalHook, options));
  if (!global) return false;
  JSAutoRealm in(context_, global);
  if (!JS::InitRealmStandardClasses(context_) || !define_console(context_, global) ||
      !evaluate(context_, GRAPNEL_EMBEDDED(lockdown), "lockdown")) {
    return false;
  }
  empty_regexp_ = JS::NewRegExpObject(context_, "", 0, JS::RegExpFlags());
  if (!empty_regexp_) return false;
  global_ = global;
  return true;
}

/// RegExp.lastMatch and its kin remember the last match of the realm. Clearing them is not enough:
/// in this engine the getter of RegExp.leftContext then ends the process. So the last match becomes
/// one of nothing in nothing.
bool ScriptRealm::forget_matches() {
  JS::RootedString nothing(context_, JS_GetEmptyString(context_));
  JS::RootedValue ignored(context_);
  std::size_t index = 0;
  return JS::ClearRegExpStatics(context_, global_) &&
         JS::SetRegExpInput(context_, global_, nothing) &&
         JS::ExecuteRegExp(context_, global_, empty_regexp_, u"", 0, &index, true, &ignored);
}

bool ScriptRealm::compile(AnswerFrame& answer) {
  if (broken_.verdict != Verdict::ok) {
    answer = broken_;
    return false;
  }
  if (function_) return true;
  if (!global_ && !make_realm()) {
    take_failure(context_, name_, Verdict::memory, answer);
    return false;
  }
  JSAutoRealm in(context_, global_);
  // The engine puts a line of its own before it: number 0, so that the lines are the user's.
  std::string source(kPrologue);
  source.append(body_).append("\nreturn typeof ").append(function_name_);
  source.append(" === 'function' ? ").append(function_name_).append(" : undefined;");
  JS::CompileOptions options(context_);
  options.setFileAndLine(name_.c_str(), 0);
  JS::SourceText<mozilla::Utf8Unit> text;
  JS::RootedObjectVector scope(context_);
  if (text.init(context_, source.data(), source.size(), JS::SourceOwnership::Borrowed)) {
    function_ = JS::CompileFunction(context_, scope, options, nullptr, 0, nullptr, text);
  }
  if (function_) return true;
  take_failure(context_, name_, Verdict::compile, answer);
  keep_in_text(body_, answer);
  if (answer.verdict == Verdict::compile) broken_ = answer;
  return false;
}

bool ScriptRealm::enter(JS::MutableHandleValue function, AnswerFrame& answer) {
  JS::RootedValue entered(context_, JS::ObjectValue(*JS_GetFunctionObject(function_)));
  if (!forget_matches() || !JS::Call(context_, JS::UndefinedHandleValue, entered,
                                     JS::HandleValueArray::empty(), function)) {
    take_failure(context_, name_, Verdict::thrown, answer);
    return false;
  }
  if (function.isObject() && JS::IsCallable(&function.toObject())) return true;
  answer.verdict = Verdict::compile;
  answer.message = "does not define the function " + function_name_ + "(event)";
  return false;
}

bool ScriptRealm::make_event(std::string_view event, std::string_view body,
                             JS::MutableHandleValue value) {
  if (!parse(context_, event, value)) return false;
  if (!value.isObject()) {
    JS_ReportErrorASCII(context_, "the event is no object");
    return false;
  }
  JS::RootedObject object(context_, &value.toObject());
  JS::RootedValue payload(context_);
  JS::RootedString raw(context_);
  if (is_utf8(body)) {
    raw = JS_NewStringCopyUTF8N(context_, JS::UTF8Chars(body.data(), body.size()));
    if (raw && may_be_json(body) && !JS_ParseJSON(context_, raw, &payload)) {
      if (!JS_IsExceptionPending(context_) || JS_IsThrowingOutOfMemory(context_)) return false;
      JS_ClearPendingException(context_);
      payload.setUndefined();
    }
  } else {
    const std::string encoded = base64(body);
    raw = JS_NewStringCopyN(context_, encoded.data(), encoded.size());
  }
  if (!raw) return false;
  return JS_DefineProperty(context_, object, "payload", payload, JSPROP_ENUMERATE) &&
         JS_DefineProperty(context_, object, "raw", raw, JSPROP_ENUMERATE);
}

bool ScriptRealm::take_result(JS::HandleValue returned, AnswerFrame& answer) {
  if (returned.isNullOrUndefined()) return true;
  answer.verdict = Verdict::result;
  if (returned.isSymbol() || returned.isBigInt()) {
    answer.message = "returned a " + std::string(returned.isSymbol() ? "symbol" : "BigInt") +
                     ", which is not JSON";
    return false;
  }
  if (returned.isObject()) {
    JS::RootedObject object(context_, &returned.toObject());
    if (JS::IsPromiseObject(object)) {
      answer.message = "returned a promise: scripts are synchronous";
      return false;
    }
    if (JS::IsCallable(object)) {
      answer.message = "returned a function, which is not JSON";
      return false;
    }
  }
  Result result{.text = answer.result};
  JS::RootedValue value(context_, returned);
  if (!JS_Stringify(context_, &value, nullptr, JS::NullHandleValue, write_result, &result)) {
    if (!result.too_long) {
      take_failure(context_, name_, Verdict::result, answer);
      if (answer.verdict == Verdict::result) {
        answer.message = one_line("the result is not JSON: " + answer.message);
      }
      return false;
    }
    JS_ClearPendingException(context_);
    answer.result.clear();
    answer.message = "the result has more than " +
                     std::to_string(model::kScriptResultBytesMax / 1_MiB) + " MiB as JSON";
    return false;
  }
  if (answer.result == "null") answer.result.clear();
  answer.verdict = Verdict::ok;
  return true;
}

bool ScriptRealm::invoke(std::string_view event, std::string_view body, AnswerFrame& answer) {
  if (!compile(answer)) return false;
  JSAutoRealm in(context_, global_);
  JS::RootedValue function(context_);
  JS::RootedValue argument(context_);
  JS::RootedValue returned(context_);
  if (!enter(&function, answer)) return false;
  if (!make_event(event, body, &argument)) {
    take_failure(context_, name_, Verdict::result, answer);
    return false;
  }
  if (!JS::Call(context_, JS::UndefinedHandleValue, function, JS::HandleValueArray(argument),
                &returned)) {
    take_failure(context_, name_, Verdict::thrown, answer);
    return false;
  }
  return take_result(returned, answer);
}

AnswerFrame ScriptRealm::call(std::string_view event, std::string_view body,
                              std::chrono::milliseconds time) {
  CallState& state = CallState::of(context_);
  AnswerFrame answer;
  state.console.clear();
  state.watchdog.begin_call(time);
  invoke(event, body, answer);
  answer.micros = static_cast<std::uint32_t>(state.watchdog.used().count());
  state.watchdog.end_call();
  answer.console = state.console.text();
  return answer;
}

AnswerFrame ScriptRealm::check(std::chrono::milliseconds time) {
  CallState& state = CallState::of(context_);
  AnswerFrame answer;
  state.console.clear();
  state.watchdog.begin_call(time);
  if (compile(answer)) {
    JSAutoRealm in(context_, global_);
    JS::RootedValue function(context_);
    enter(&function, answer);
  }
  answer.micros = static_cast<std::uint32_t>(state.watchdog.used().count());
  state.watchdog.end_call();
  answer.console = state.console.text();
  return answer;
}

}  // namespace grapnel::js
