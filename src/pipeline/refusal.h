// Why a request was not taken. Each is one answer of docs/SEMANTICS.md "Receiving".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "signature/rejection.h"

namespace grapnel::pipeline {

enum class RefusalKind : std::uint8_t {
  unknown_source,    ///< 404
  unsupported_type,  ///< 415: the source requires JSON
  invalid_json,      ///< 422
  body_too_large,    ///< 413
  rate_limited,      ///< 429
  backlog_full,      ///< 429: an action's bound, with on_full = refuse
  held_full,         ///< 429: the source's held bound
  too_many_waiting,  ///< 503: kIngestWaitingMax wait for the store, or large ones for a thread
  store_down,        ///< 503
  wrong_method,      ///< 405
  invalid_event,     ///< 422: no CloudEvent, or a batch that is none
  unverified,        ///< 401; 403 for want of HTTPS: Refusal::rejected says why
  handshake,         ///< 403: a handshake that is not granted
};
inline constexpr int kRefusalKinds = 13;
static_assert(static_cast<int>(RefusalKind::handshake) + 1 == kRefusalKinds);

/// The value's own name; a metric label, except of `unverified`, whose rejection is the label.
std::string_view to_text(RefusalKind kind);

struct Refusal {
  RefusalKind kind = RefusalKind::unknown_source;
  std::string detail;  ///< one sentence
  std::optional<Millis> retry_after;
  std::optional<signature::Rejection> rejected;  ///< of unverified
  std::string for_owner;                         ///< what the sender is not told; "" = nothing
  std::string challenge;                         ///< WWW-Authenticate; "" = none
};

/// What the refusal is counted and logged under.
std::string_view reason_of(const Refusal& refusal);

}  // namespace grapnel::pipeline
