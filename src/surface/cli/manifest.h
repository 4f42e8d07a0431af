// What `grapnel apply` is asked for: YAML documents of one form, checked whole before anything is
// sent.
//
//   sources:
//     - slug: demo                 identity: one source per slug
//       name: Demo                 (the slug where it is left out)
//       mode: active               … every field of POST /api/sources
//       actions:
//         - name: echo             identity: one action per name within its source
//           target_url: http://127.0.0.1:9999/
//           signing_secret: {env: DEMO_SECRET}      or text, or {file: path}; so are a source's
//                                                   secrets and handshake_token
//           headers:
//             Authorization: {env: DEMO_TOKEN}      the same for values of headers
//           ca_bundle: {file: ca.pem}
//
// A field that is not named stays as it is on the server; null brings its default back. Paths of
// files are relative to the manifest.
#pragma once

#include <boost/json/object.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/secret.h"

namespace grapnel::cli {

struct WantedAction {
  std::string name;
  boost::json::object fields;  ///< as the API takes them; without name and signing_secret
  std::optional<crypto::Secret> signing_secret;
};

struct WantedSource {
  std::string slug;
  boost::json::object fields;   ///< as the API takes them; without slug, actions and secrets
  boost::json::object secrets;  ///< fields of the API that are secrets: secrets, handshake_token
  std::vector<WantedAction> actions;
  std::string place;  ///< "file:line"
};

struct Manifest {
  std::vector<WantedSource> sources;
};

/// A file of a manifest as read.
struct ManifestFile {
  std::string name;
  std::string text;
};

using Variables = std::function<std::optional<std::string>(const std::string&)>;

/// Checks every document of every file. Error: malformed, one line a mistake ("file:line: field:
/// …"), all of them at once; no secret is repeated.
Result<Manifest> read_manifest(const std::vector<ManifestFile>& files, const Variables& variables);

}  // namespace grapnel::cli
