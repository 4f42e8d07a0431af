#include "model/action.h"

#include <algorithm>

namespace grapnel::model {

bool matches(const Action& action, std::string_view event_type) {
  if (action.deleting || action.desired == DesiredState::disabled) return false;
  if (action.event_types.empty()) return true;
  return std::ranges::any_of(action.event_types, [event_type](const std::string& pattern) {
    return matches_pattern(pattern, event_type);
  });
}

bool hides_header(const Action& action, std::string_view name) {
  return is_credential_name(name) ||
         std::ranges::any_of(action.secret_headers,
                             [name](const std::string& secret) { return same_name(secret, name); });
}

bool matches_pattern(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last '*' seen, and what it has eaten so far
  std::size_t eaten = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      eaten = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++eaten;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace grapnel::model
