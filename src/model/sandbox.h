// PORT Sandbox: scripts of users, run where they cannot hurt. A script is a function of its event:
// nothing of one call is visible to another, it has no files, no network and no clock worth the
// name, and it ends within its limits whatever it does.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/clock.h"
#include "model/script.h"

namespace grapnel::model {

/// One call of a script's function.
struct ScriptCall {
  ScriptPtr script;
  /// JSON object: the event without `payload` and `raw`, which the sandbox adds from the body:
  /// `raw` is its text (base64 where it is not UTF-8), `payload` the parsed value where it is JSON,
  /// or else undefined.
  std::string event;
  std::string_view body;  ///< outlives the call
};

/// Why a call brought no result. The numbers are stored; the texts are metric labels.
enum class ScriptFault : std::uint8_t {
  none = 0,
  compile = 1,  ///< not JavaScript, or it does not define its function
  thrown = 2,   ///< an exception left the function
  timeout = 3,  ///< longer than kScriptTimeMax
  memory = 4,   ///< more than kScriptHeapBytesMax, or too deep a recursion
  result = 5,   ///< not JSON (cyclic, a BigInt, a promise), or above kScriptResultBytesMax
  crashed = 6,  ///< its process died: a call that the sandbox forbids, or a defect of the engine
  busy = 7,     ///< kScriptCallsMax calls wait already; try again
  unavailable = 8,  ///< no sandbox: refused by the kernel, or it does not start
  stopped = 9,      ///< the program is stopping, or the caller was canceled
};

struct ScriptFailure {
  ScriptFault fault = ScriptFault::none;
  std::string message;  ///< one line: what, and where it is known "(line 3, column 7)"
  int line = 0;         ///< from 1 in the script; 0: not known
  int column = 0;       ///< from 1
  std::string console;  ///< as of ScriptAnswer
};

struct ScriptAnswer {
  /// JSON text of what the function returned; "": null or undefined
  std::string result;
  std::string console;  ///< lines of console.log and its kin, valid UTF-8, at most kConsoleBytesMax
};

/// A part of the sandbox that the kernel may refuse.
enum class SandboxPart : std::uint8_t {
  seccomp = 0,  ///< the filter of system calls
  memory = 1,   ///< the bound of the address space
};

struct SandboxHealth {
  bool available = false;
  std::string reason;  ///< when it is not, or goes without a part: one sentence
};

class Sandbox {
 public:
  virtual ~Sandbox() = default;
  /// Whether it compiles and defines its function; asked when it is saved. Fault none: it does.
  virtual async::Task<ScriptFailure> check(ScriptPtr script) = 0;
  /// Cancelable: then fault stopped.
  virtual async::Task<std::expected<ScriptAnswer, ScriptFailure>> run(ScriptCall call) = 0;
  virtual SandboxHealth health() const = 0;
};

}  // namespace grapnel::model
