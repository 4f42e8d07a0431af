// An action as people read and write it.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/action.h"

namespace grapnel::model {

/// What a document says about an action; fields that it does not name stay as they are.
struct ActionPatch {
  std::optional<std::string> name;
  std::optional<std::string> type;
  std::optional<std::string> target_url;
  /// In clear. apply() does not touch secrets: the caller seals it into Action::secrets.
  std::optional<std::string> signing_secret;
  std::optional<DesiredState> desired;  ///< field "state"
  std::optional<bool> is_active;        ///< false: disabled; true: a disabled one becomes active
  std::optional<std::vector<std::string>> event_types;
  std::optional<HeaderList> headers;  ///< an object {name: value} or a list of {"name","value"}
  std::optional<std::vector<std::string>> secret_headers;
  std::optional<ForwardHeaders> forward_headers;
  std::optional<Millis> timeout;
  std::optional<int> max_in_flight;
  std::optional<RetryPolicy> retry;
  std::optional<OnDead> on_dead;
  std::optional<BacklogBound> backlog_bound;  ///< field "backlog"
  std::optional<OnFull> on_full;
  std::optional<std::uint8_t> schemes;  ///< field "signature_schemes"
  std::optional<std::string> ca_bundle;
  std::optional<std::string> script_body;  ///< "": none
};

/// Public form: no secret. Header values that hides_header() names are shown cut
/// (cut_header_value); given back like that they are refused, so that a shown document cannot
/// overwrite them.
boost::json::object to_json(const Action& action);

/// Strict: unknown fields are refused. Error: malformed, one line a mistake; a signing secret is
/// never repeated in one.
Result<ActionPatch> parse_action_patch(const boost::json::value& value);

/// Changes `action`. An action without a name gets its id. Where neither the patch nor an earlier
/// secret settles the schemes, they follow the new secret's form (default_schemes). Error:
/// malformed when a webhook has no target or a javascript action no script.
Result<> apply(const ActionPatch& patch, Action& action);

/// Whether it says where its deliveries go. Error: malformed.
Result<> check_target(const Action& action);

/// v1; v1 and sha256 for a secret given as plain text; v1a for a whsk_ key.
std::uint8_t default_schemes(std::string_view signing_secret);

/// What is shown of a secret header: nothing of its value, but the scheme word of an Authorization
/// ("Bearer … (cut)").
std::string cut_header_value(const Header& header);

boost::json::object to_json(const RetryPolicy& policy);

}  // namespace grapnel::model
