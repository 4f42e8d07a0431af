// Scripts of the simulation: what one does with an event follows from the event's number alone, so
// that the judge knows what must come of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "doubles/scripted_sandbox.h"
#include "model/source.h"

namespace grapnel::sim {

enum class ScriptDoes : std::uint8_t {
  changes,  ///< the payload becomes {"made": <what it was>}
  passes,   ///< returns {}
  drops,
  splits,  ///< two events, {"made": 0} and {"made": 1}
  throws,  ///< until the scripts are mended; then it changes
  times_out,
  is_slow,  ///< and changes
  is_busy,  ///< the sandbox takes it later; then it changes
};
/// By the "n" of the body.
ScriptDoes what_script_does(std::string_view body);

/// {"made": body}
std::string made_of(std::string_view body);

/// What the sandbox of a run answers to its call of that number; of mended scripts none fails.
enum class Scripts : std::uint8_t { broken, mended };
doubles::ScriptedOutcome run_scripted(const doubles::RecordedScriptCall& call, Scripts scripts,
                                      int number);

/// Gives the source a script.
void give_script(model::Source& source);

}  // namespace grapnel::sim
