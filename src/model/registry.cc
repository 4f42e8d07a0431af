#include "model/registry.h"

namespace grapnel::model {

SourcePtr RegistrySnapshot::find_source(std::string_view slug) const {
  const auto at = slugs.find(std::string(slug));
  return at == slugs.end() ? nullptr : find_source(at->second);
}

SourcePtr RegistrySnapshot::find_source(SourceId id) const {
  const auto at = sources.find(id);
  return at == sources.end() ? nullptr : at->second;
}

ActionPtr RegistrySnapshot::find_action(ActionId id) const {
  const auto at = action_sources.find(id);
  if (at == action_sources.end()) return nullptr;
  const SourcePtr entry = find_source(at->second);
  if (!entry) return nullptr;
  for (const auto& action : entry->actions) {
    if (action->id == id) return action;
  }
  return nullptr;
}

}  // namespace grapnel::model
