#include "model/script_json.h"

#include "base/utf8.h"
#include "model/limits.h"

namespace grapnel::model {

std::optional<std::string> take_script_body(ObjectReader& fields) {
  const boost::json::value* given = fields.take("script_body");
  if (given == nullptr) return std::nullopt;
  if (given->is_null()) return std::string();
  return fields.text("script_body", 0, kScriptBytesMax, Echo::kind);
}

void put_script(boost::json::object& out, const ScriptPtr& script) {
  out["script_body"] = nullptr;
  out["script_version"] = nullptr;
  if (!script) return;
  out["script_body"] = valid_utf8(script->body);
  out["script_version"] = script->version;
}

void change_script(const std::string& body, ScriptEntry entry, std::string name, ScriptPtr& script,
                   int& versions) {
  if (body.empty()) {
    script = nullptr;
    return;
  }
  if (script && script->body == body) return;
  script = std::make_shared<const Script>(
      Script{.body = body, .entry = entry, .name = std::move(name), .version = ++versions});
}

}  // namespace grapnel::model
