// Scripts as people read and write them: the field "script_body" of a source and of an action.
#pragma once

#include <boost/json/object.hpp>

#include <optional>
#include <string>

#include "model/json_reader.h"
#include "model/script.h"

namespace grapnel::model {

/// "" (or null): no script. Whether it compiles is for a sandbox to say.
std::optional<std::string> take_script_body(ObjectReader& fields);

/// "script_body" and "script_version"; null where there is no script.
void put_script(boost::json::object& out, const ScriptPtr& script);

/// A new version, unless that is what is in force already.
void change_script(const std::string& body, ScriptEntry entry, std::string name, ScriptPtr& script,
                   int& versions);

}  // namespace grapnel::model
