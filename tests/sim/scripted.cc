#include "sim/scripted.h"

#include <charconv>

namespace grapnel::sim {

using model::ScriptFault;

namespace {

constexpr std::string_view kNumber = R"("n":)";
constexpr int kKinds = 14;
constexpr std::chrono::seconds kSlow{3};

doubles::ScriptedOutcome changed(std::string_view body, std::chrono::nanoseconds delay = {}) {
  return doubles::returned(R"({"payload":)" + made_of(body) + "}", delay);
}

}  // namespace

ScriptDoes what_script_does(std::string_view body) {
  const auto at = body.find(kNumber);
  if (at == std::string_view::npos) return ScriptDoes::changes;
  int number = 0;
  std::from_chars(body.data() + at + kNumber.size(), body.data() + body.size(), number);
  switch (number % kKinds) {
    case 0: return ScriptDoes::drops;
    case 1: return ScriptDoes::splits;
    case 2: return ScriptDoes::throws;
    case 3: return ScriptDoes::times_out;
    case 4: return ScriptDoes::is_slow;
    case 5: return ScriptDoes::is_busy;
    case 6: return ScriptDoes::passes;
    default: return ScriptDoes::changes;
  }
}

std::string made_of(std::string_view body) {
  return std::string(R"({"made":)").append(body).append("}");
}

doubles::ScriptedOutcome run_scripted(const doubles::RecordedScriptCall& call, Scripts scripts,
                                      int number) {
  switch (what_script_does(call.body)) {
    case ScriptDoes::drops: return doubles::returned("");
    case ScriptDoes::splits:
      return doubles::returned(R"([{"payload":{"made":0}},{"payload":{"made":1}}])");
    case ScriptDoes::throws:
      if (scripts == Scripts::broken) return doubles::failed(ScriptFault::thrown, "it throws");
      break;
    case ScriptDoes::times_out:
      if (scripts == Scripts::broken)
        return doubles::failed(ScriptFault::timeout, "it never ends", kSlow);
      break;
    case ScriptDoes::is_slow: return changed(call.body, kSlow);
    case ScriptDoes::is_busy:
      if (number % 2 == 0) return doubles::failed(ScriptFault::busy, "too many wait");
      break;
    case ScriptDoes::passes: return doubles::returned("{}");
    case ScriptDoes::changes: break;
  }
  return changed(call.body);
}

void give_script(model::Source& source) {
  source.script = std::make_shared<const model::Script>(
      model::Script{.body = "function transform(event) {}", .name = source.slug, .version = 1});
  source.script_versions = 1;
}

}  // namespace grapnel::sim
