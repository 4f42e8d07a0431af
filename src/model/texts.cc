#include "model/texts.h"

#include <fmt/format.h>

#include <array>

#include "base/check.h"
#include "model/errors.h"
#include "model/headers.h"
#include "model/limits.h"

namespace grapnel::model {
namespace {

using Text = std::string_view;

constexpr std::array<Text, 3> kSourceModes{"active", "record", "paused"};
constexpr std::array<Text, 3> kManagedBy{"api", "apply", "crd"};
constexpr std::array<Text, 3> kDesiredStates{"active", "paused", "disabled"};
constexpr std::array<Text, 4> kHealths{"ok", "failing", "resting", "gone"};
constexpr std::array<Text, 2> kOnDead{"continue", "block"};
constexpr std::array<Text, 2> kOnFull{"dead", "refuse"};
constexpr std::array<Text, 2> kRetryOn{"any", "transient"};
constexpr std::array<Text, 4> kKeyScopes{"ingest", "read", "write", "admin"};
constexpr std::array<Text, 6> kDeliveryStates{"pending",   "running", "retrying",
                                              "delivered", "dead",    "cancelled"};
constexpr std::array<Text, 10> kEndReasons{"",
                                           "retries_exhausted",
                                           "final_failure",
                                           "endpoint_gone",
                                           "egress_refused",
                                           "backlog_full",
                                           "body_damaged",
                                           "by_person",
                                           "definition_deleted",
                                           "bad_configuration"};
constexpr std::array<Text, 4> kAttemptResults{"succeeded", "failed", "unknown", "handed_back"};
constexpr std::array<Text, 11> kAttemptSteps{"",        "prepare", "egress", "dns",
                                             "connect", "tls",     "send",   "response",
                                             "timeout", "status",  "script"};
constexpr std::array<Text, 9> kFanoutStates{"held",     "waiting", "running",   "retrying", "done",
                                            "recorded", "dropped", "cancelled", "dead"};
constexpr std::array<Text, 3> kJobStates{"running", "done", "cancelled"};
constexpr std::array<Text, 6> kAdmissions{"accepted",  "recorded",   "held",
                                          "duplicate", "stale_plan", "source_gone"};
constexpr std::array<Text, 10> kScriptFaults{
    "",       "compile", "thrown", "timeout",     "memory",
    "result", "crashed", "busy",   "unavailable", "stopped"};
constexpr std::array<Text, 2> kSandboxParts{"seccomp", "memory"};

struct SchemeText {
  Scheme scheme;
  Text text;
};
constexpr std::array<SchemeText, 3> kSchemes{
    {{kSchemeV1, "v1"}, {kSchemeV1a, "v1a"}, {kSchemeSha256, "sha256"}}};

template <class Enum>
Text text_at(Enum value) {
  const auto texts = texts_of<Enum>();
  const auto index = static_cast<std::size_t>(value);
  // A damaged store may hold any number.
  return index < texts.size() ? texts[index] : Text("damaged");
}

bool is_pointer(Text text) {
  if (text.size() < 2 || text[0] != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) < 0x20) return false;
    if (text[i] != '~') continue;
    if (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1')) return false;
  }
  return true;
}

}  // namespace

template <>
std::span<const Text> texts_of<SourceMode>() {
  return kSourceModes;
}
template <>
std::span<const Text> texts_of<ManagedBy>() {
  return kManagedBy;
}
template <>
std::span<const Text> texts_of<DesiredState>() {
  return kDesiredStates;
}
template <>
std::span<const Text> texts_of<Health>() {
  return kHealths;
}
template <>
std::span<const Text> texts_of<OnDead>() {
  return kOnDead;
}
template <>
std::span<const Text> texts_of<OnFull>() {
  return kOnFull;
}
template <>
std::span<const Text> texts_of<RetryOn>() {
  return kRetryOn;
}
template <>
std::span<const Text> texts_of<KeyScope>() {
  return kKeyScopes;
}
template <>
std::span<const Text> texts_of<DeliveryState>() {
  return kDeliveryStates;
}
template <>
std::span<const Text> texts_of<EndReason>() {
  return kEndReasons;
}
template <>
std::span<const Text> texts_of<AttemptResult>() {
  return kAttemptResults;
}
template <>
std::span<const Text> texts_of<AttemptStep>() {
  return kAttemptSteps;
}
template <>
std::span<const Text> texts_of<FanoutState>() {
  return kFanoutStates;
}
template <>
std::span<const Text> texts_of<JobState>() {
  return kJobStates;
}
template <>
std::span<const Text> texts_of<Admission>() {
  return kAdmissions;
}
template <>
std::span<const Text> texts_of<ScriptFault>() {
  return kScriptFaults;
}
template <>
std::span<const Text> texts_of<SandboxPart>() {
  return kSandboxParts;
}

Text to_text(SourceMode mode) { return text_at(mode); }
Text to_text(ManagedBy owner) { return text_at(owner); }
Text to_text(DesiredState state) { return text_at(state); }
Text to_text(Health health) { return text_at(health); }
Text to_text(OnDead on_dead) { return text_at(on_dead); }
Text to_text(OnFull on_full) { return text_at(on_full); }
Text to_text(RetryOn policy) { return text_at(policy); }
Text to_text(KeyScope scope) { return text_at(scope); }
Text to_text(DeliveryState state) { return text_at(state); }
Text to_text(EndReason reason) { return text_at(reason); }
Text to_text(AttemptResult result) { return text_at(result); }
Text to_text(AttemptStep step) { return text_at(step); }
Text to_text(FanoutState state) { return text_at(state); }
Text to_text(JobState state) { return text_at(state); }
Text to_text(Admission admission) { return text_at(admission); }
Text to_text(ScriptFault fault) { return text_at(fault); }
Text to_text(SandboxPart part) { return text_at(part); }

std::vector<Text> scheme_texts(std::uint8_t schemes) {
  std::vector<Text> out;
  for (const auto& known : kSchemes) {
    if (schemes & known.scheme) out.push_back(known.text);
  }
  return out;
}

std::optional<Scheme> parse_scheme(Text text) {
  for (const auto& known : kSchemes) {
    if (known.text == text) return known.scheme;
  }
  return std::nullopt;
}

std::string to_text(const Place& place) {
  return place.kind == Place::Kind::header ? "header:" + place.name : place.name;
}

Result<Place> parse_place(Text text) {
  static constexpr Text kHeader = "header:";
  if (text.size() <= kNameBytesMax) {
    if (text.starts_with(kHeader) && is_header_name(text.substr(kHeader.size()))) {
      return Place{Place::Kind::header, std::string(text.substr(kHeader.size()))};
    }
    if (is_pointer(text)) return Place{Place::Kind::pointer, std::string(text)};
  }
  return fail(errc::malformed,
              fmt::format("expected header:Name or a JSON pointer such as /id of at most {} "
                          "characters, given \"{}\"",
                          kNameBytesMax, valid_utf8(text.substr(0, kNameBytesMax))));
}

}  // namespace grapnel::model
