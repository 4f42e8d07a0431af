// The difference between what a manifest asks for and what the server has, as steps to take. Pure:
// nothing is sent here.
//
// Two documents are compared as the server would: both become a definition and are shown again, so
// that 90s and 1m30s are the same. Secrets cannot be compared (the server shows none), so they are
// part of a difference only where they are sent.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/secret.h"
#include "surface/cli/manifest.h"

namespace grapnel::cli {

/// A source of the server with its actions, as the API shows them.
struct CurrentSource {
  boost::json::object source;
  std::vector<boost::json::object> actions;
};

struct FieldChange {
  std::string field;
  std::optional<std::string> before;  ///< none: nothing was there
  std::optional<std::string> after;
};

struct Step {
  enum class What : std::uint8_t { unchanged, create, change, remove };
  What what = What::unchanged;
  std::string source;
  std::string action;  ///< "": the source itself
  std::vector<FieldChange> changes;
  boost::json::object document;  ///< of create and change: what is sent, without a secret
  std::optional<crypto::Secret> signing_secret;  ///< of create, or to rotate in
  boost::json::object secrets;                   ///< of a source: of create, or to replace
  std::string place;                             ///< "file:line" of what was asked for

  /// "source/demo", "action/demo/echo"
  std::string title() const;
};

struct PlanOptions {
  bool prune = false;
  bool force = false;
  bool rotate_secrets = false;
};

struct Plan {
  std::vector<Step> steps;  ///< in the order in which they are taken; deletions last
  int count(Step::What what) const;
};

/// Errors: conflict (something is not apply's to change, one line each), bad_answer.
Result<Plan> make_plan(const Manifest& manifest, const std::vector<CurrentSource>& current,
                       const PlanOptions& options);

}  // namespace grapnel::cli
