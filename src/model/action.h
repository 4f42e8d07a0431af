// An action: what a source does with its events. Desired state is the user's, health is the
// system's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/headers.h"
#include "model/ids.h"
#include "model/retry_policy.h"
#include "model/source.h"

namespace grapnel::model {

enum class DesiredState : std::uint8_t {
  active,
  paused,    ///< matches; its deliveries wait
  disabled,  ///< matches nothing new; what is open waits as if paused
};

/// ok --failures--> failing --success--> ok;  any --410--> gone --enable or a new target--> ok;
/// resting: open deliveries wait until the system ends it.
enum class Health : std::uint8_t { ok, failing, resting, gone };

enum class OnDead : std::uint8_t {
  go_on,  ///< text form "continue": the key's next delivery goes on
  block,  ///< the key waits until a replay down the chain is delivered, or a person skips the dead
          ///< one
};

/// What a new delivery becomes when the action's backlog bound is reached.
enum class OnFull : std::uint8_t {
  dead,    ///< born dead (backlog_full), replayable
  refuse,  ///< the source answers 429
};

/// Which of the sender's headers go out.
struct ForwardHeaders {
  enum class Kind : std::uint8_t { all, none, list };
  Kind kind = Kind::all;
  std::vector<std::string> names;  ///< of `list`
  bool operator==(const ForwardHeaders&) const = default;
};

/// Signature schemes, as bits of Action::schemes.
enum Scheme : std::uint8_t {
  kSchemeV1 = 1,      ///< Standard Webhooks 1.0, HMAC-SHA256
  kSchemeV1a = 2,     ///< Standard Webhooks 1.0, ed25519
  kSchemeSha256 = 4,  ///< X-Webhook-Signature-256: sha256=<hex>
};

/// One signing secret, sealed (crypto/secret_box.h). Text inside: whsec_…, whsk_…, or any other
/// text.
struct SigningSecret {
  std::string sealed;
  Time created;
  std::optional<Time> expires;  ///< set by rotation on the old one: signs until then
  /// Set by rotation on the new one: one-value schemes use it from then
  std::optional<Time> primary_from;
  bool operator==(const SigningSecret&) const = default;
};

struct Action {
  ActionId id;
  SourceId source;
  std::string name;  ///< unique in its source
  std::string type = "webhook";
  std::string target_url;
  DesiredState desired = DesiredState::active;
  Health health = Health::ok;
  Time health_since;
  std::string health_reason;
  std::vector<std::string> event_types;     ///< empty: all; `*` matches any run of characters
  HeaderList headers;                       ///< sent with each delivery
  std::vector<std::string> secret_headers;  ///< names whose values are never shown, besides
                                            ///< is_credential_name()
  ForwardHeaders forward_headers;
  Millis timeout = kAttemptTimeoutDefault;
  int max_in_flight = kMaxInFlightDefault;
  RetryPolicy retry = default_retry_policy();
  OnDead on_dead = OnDead::go_on;
  BacklogBound backlog_bound;
  OnFull on_full = OnFull::dead;
  std::uint8_t schemes = kSchemeV1;
  std::vector<SigningSecret> secrets;  ///< newest first, at most kSigningSecretsMax
  ScriptPtr script;                    ///< process(event), of type javascript
  int script_versions = 0;
  std::string ca_bundle;  ///< PEM; "" = the system's roots
  ManagedBy managed_by = ManagedBy::api;
  bool deleting = false;
  Revision revision = 0;  ///< grows with each change of this action
  /// Grows when the target changes or the action is enabled anew: what was answered before (410)
  /// says nothing any more.
  Revision target_revision = 0;
  Time created;
  Time updated;
};

/// Whether the action takes new events of that type (desired state and deletion included, health
/// not).
bool matches(const Action& action, std::string_view event_type);
/// Whether the value of a header that goes out is never shown.
bool hides_header(const Action& action, std::string_view name);
/// `pattern` with `*` for any run of characters against the whole text.
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace grapnel::model
