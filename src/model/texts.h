// The words of the domain as text: what the API, the CLI, metrics and stored definitions call each
// value. A text, once published, is never given another meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/utf8.h"
#include "model/action.h"
#include "model/api_key.h"
#include "model/delivery.h"
#include "model/delivery_book.h"
#include "model/event.h"
#include "model/event_log.h"
#include "model/retry_policy.h"
#include "model/sandbox.h"
#include "model/source.h"

namespace grapnel::model {

/// All texts of an enum, by value. Defined for the enums that to_text below takes.
template <class Enum>
std::span<const std::string_view> texts_of();
template <>
std::span<const std::string_view> texts_of<SourceMode>();
template <>
std::span<const std::string_view> texts_of<ManagedBy>();
template <>
std::span<const std::string_view> texts_of<DesiredState>();
template <>
std::span<const std::string_view> texts_of<Health>();
template <>
std::span<const std::string_view> texts_of<OnDead>();
template <>
std::span<const std::string_view> texts_of<OnFull>();
template <>
std::span<const std::string_view> texts_of<RetryOn>();
template <>
std::span<const std::string_view> texts_of<KeyScope>();
template <>
std::span<const std::string_view> texts_of<DeliveryState>();
template <>
std::span<const std::string_view> texts_of<EndReason>();
template <>
std::span<const std::string_view> texts_of<AttemptResult>();
template <>
std::span<const std::string_view> texts_of<AttemptStep>();
template <>
std::span<const std::string_view> texts_of<FanoutState>();
template <>
std::span<const std::string_view> texts_of<JobState>();
template <>
std::span<const std::string_view> texts_of<Admission>();
template <>
std::span<const std::string_view> texts_of<ScriptFault>();
template <>
std::span<const std::string_view> texts_of<SandboxPart>();

/// Nothing: the enum has no such text.
template <class Enum>
std::optional<Enum> from_text(std::string_view text) {
  const auto texts = texts_of<Enum>();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

std::string_view to_text(SourceMode mode);       ///< active record paused
std::string_view to_text(ManagedBy owner);       ///< api apply crd
std::string_view to_text(DesiredState state);    ///< active paused disabled
std::string_view to_text(Health health);         ///< ok failing resting gone
std::string_view to_text(OnDead on_dead);        ///< continue block
std::string_view to_text(OnFull on_full);        ///< dead refuse
std::string_view to_text(RetryOn policy);        ///< any transient
std::string_view to_text(KeyScope scope);        ///< ingest read write admin
std::string_view to_text(DeliveryState state);   ///< pending running retrying delivered dead …
std::string_view to_text(EndReason reason);      ///< "" retries_exhausted …
std::string_view to_text(AttemptResult result);  ///< succeeded failed unknown handed_back
std::string_view to_text(AttemptStep step);      ///< "" prepare egress dns connect tls …
std::string_view to_text(FanoutState state);     ///< held waiting running retrying done recorded …
std::string_view to_text(JobState state);        ///< running done cancelled
std::string_view to_text(Admission admission);   ///< accepted recorded held duplicate …
std::string_view to_text(ScriptFault fault);     ///< "" compile thrown timeout memory result …
std::string_view to_text(SandboxPart part);      ///< seccomp memory

/// The names of Action::schemes' bits: "v1", "v1a", "sha256".
std::vector<std::string_view> scheme_texts(std::uint8_t schemes);
std::optional<Scheme> parse_scheme(std::string_view text);

/// "header:Name" or "/pointer" (RFC 6901).
std::string to_text(const Place& place);
/// Error: malformed, one line that says what is expected.
Result<Place> parse_place(std::string_view text);

}  // namespace grapnel::model
