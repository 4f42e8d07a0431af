#include "pipeline/refusal.h"

#include <array>

namespace grapnel::pipeline {

std::string_view to_text(RefusalKind kind) {
  static constexpr std::array<std::string_view, kRefusalKinds> kTexts{
      "unknown_source", "unsupported_type", "invalid_json",     "body_too_large", "rate_limited",
      "backlog_full",   "held_full",        "too_many_waiting", "store_down",     "wrong_method",
      "invalid_event",  "unverified",       "handshake"};
  return kTexts.at(static_cast<std::size_t>(kind));
}

std::string_view reason_of(const Refusal& refusal) {
  return refusal.rejected ? signature::to_text(*refusal.rejected) : to_text(refusal.kind);
}

}  // namespace grapnel::pipeline
