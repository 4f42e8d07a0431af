#include "drivers/js/failure.h"

#include <js/ErrorReport.h>
#include <js/Exception.h>
#include <js/SavedFrameAPI.h>

#include <array>
#include <string_view>

#include "drivers/js/call_state.h"
#include "drivers/js/text.h"

namespace grapnel::js {
namespace {

/// What the engine throws when a call needs more memory or stack than there is.
constexpr std::array<std::string_view, 4> kShortages{"too much recursion",
                                                     "allocation size overflow", "out of memory",
                                                     "array initializer too large"};

/// How the engine introduces a thrown value that is no Error.
constexpr std::string_view kUncaught = "uncaught exception: ";

void set_place(AnswerFrame& answer, std::uint32_t line, std::uint32_t column) {
  if (line == 0 || line > model::kScriptBytesMax) return;
  answer.line = line;
  const std::uint32_t moved = line == 1 ? kPrologue.size() : 0;
  answer.column = column > moved && column <= model::kScriptBytesMax ? column - moved : 0;
}

/// The innermost frame of the script on the stack of the exception.
void place_from_stack(JSContext* context, JS::HandleObject stack, const std::string& script,
                      AnswerFrame& answer) {
  JS::RootedObject frame(context, stack);
  JS::RootedString source(context);
  while (frame) {
    std::string name;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    JS::GetSavedFrameSource(context, nullptr, frame, &source);
    if (!source || !append_string(context, source, name, kScriptNameBytesMax)) return;
    if (name == script) {
      JS::GetSavedFrameLine(context, nullptr, frame, &line);
      JS::GetSavedFrameColumn(context, nullptr, frame, &column);
      set_place(answer, line, column);
      return;
    }
    JS::RootedObject parent(context);
    JS::GetSavedFrameParent(context, nullptr, frame, &parent);
    frame = parent;
  }
}

std::string message_of(const JS::ErrorReportBuilder& builder) {
  const char* text = builder.toStringResult().c_str();
  std::string_view message = text ? text : "an error without a message";
  if (message.starts_with(kUncaught)) {
    message.remove_prefix(kUncaught.size());
    return one_line("thrown: " + std::string(message));
  }
  return one_line(message);
}

bool is_shortage(const JSErrorReport& report) {
  if (report.exnType != JSEXN_INTERNALERR || !report.message()) return false;
  for (const std::string_view shortage : kShortages) {
    if (shortage == report.message().c_str()) return true;
  }
  return false;
}

void take_verdict(const Watchdog& watchdog, AnswerFrame& answer) {
  answer.verdict = watchdog.verdict();
  answer.message =
      "ran longer than " + std::to_string(model::kScriptTimeMax.count()) + " ms and was stopped";
  set_place(answer, watchdog.line(), watchdog.column());
}

void take_shortage(AnswerFrame& answer) {
  answer.verdict = Verdict::memory;
  answer.message =
      "out of memory: a script has " + std::to_string(model::kScriptHeapBytesMax / 1_MiB) + " MiB";
}

}  // namespace

void take_failure(JSContext* context, const std::string& script, Verdict otherwise,
                  AnswerFrame& answer) {
  answer.result.clear();
  const Watchdog& watchdog = CallState::of(context).watchdog;
  if (watchdog.verdict() != Verdict::ok) {
    JS_ClearPendingException(context);
    return take_verdict(watchdog, answer);
  }
  const bool out_of_memory = !JS_IsExceptionPending(context) || JS_IsThrowingOutOfMemory(context);
  JS::ExceptionStack thrown(context);
  if (out_of_memory || !JS::StealPendingExceptionStack(context, &thrown)) {
    JS_ClearPendingException(context);
    return take_shortage(answer);
  }
  JS::ErrorReportBuilder builder(context);
  answer.verdict = otherwise;
  if (!builder.init(context, thrown, JS::ErrorReportBuilder::NoSideEffects)) {
    JS_ClearPendingException(context);
    answer.message = "an error that cannot be described";
    return;
  }
  answer.message = message_of(builder);
  const JSErrorReport* report = builder.report();
  if (report && is_shortage(*report)) answer.verdict = Verdict::memory;
  if (report && report->filename && script == report->filename) {
    // The parser counts columns from 0, what runs counts them from 1.
    const bool parsing = otherwise == Verdict::compile;
    set_place(answer, report->lineno, report->column + (parsing ? 1 : 0));
  }
  if (answer.line == 0) place_from_stack(context, thrown.stack(), script, answer);
  JS_ClearPendingException(context);
}

}  // namespace grapnel::js
