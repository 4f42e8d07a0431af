// A script of a user: what a source's events become (transform), or what is done with one
// (process).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace grapnel::model {

/// Which function a script has to define.
enum class ScriptEntry : std::uint8_t {
  transform,  ///< of a source: transform(event)
  process,    ///< of an action of type javascript: process(event)
};

/// One version of a script. Immutable; its address is its identity while it is in use.
struct Script {
  std::string body;  ///< JavaScript (ECMAScript 2022), at most kScriptBytesMax
  ScriptEntry entry = ScriptEntry::transform;
  std::string name;  ///< "github:transform": what messages and stack traces call it
  int version = 0;   ///< from 1; grows with each change of its owner's script
};
using ScriptPtr = std::shared_ptr<const Script>;

}  // namespace grapnel::model
