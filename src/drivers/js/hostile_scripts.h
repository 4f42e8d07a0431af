// TESTS. The hostile scripts, one row each: what they are called, how they have to end, and what
// the message or the result then contains. The second fault is as right as the first: the machine's
// speed decides which of two bounds is reached.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "model/sandbox.h"

namespace grapnel::js {

struct Hostile {
  std::string_view name;
  model::ScriptFault fault;
  model::ScriptFault or_fault;
  std::string_view says;
  std::string_view body;
};

std::vector<Hostile> hostile_bounds();
std::vector<Hostile> hostile_reach();

inline std::vector<Hostile> hostile_scripts() {
  std::vector<Hostile> all = hostile_bounds();
  const std::vector<Hostile> more = hostile_reach();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace grapnel::js
