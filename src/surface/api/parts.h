// What the API's endpoints work with.
#pragma once

#include <functional>

#include "base/clock.h"
#include "base/id.h"
#include "base/random.h"
#include "crypto/keyed_digest.h"
#include "crypto/secret_box.h"
#include "model/http.h"
#include "model/sandbox.h"
#include "model/store_ports.h"
#include "pipeline/quarantine.h"
#include "surface/api/trials.h"

namespace grapnel::api {

/// Everything outlives the handler. Used on the loop's thread.
struct Ports {
  model::StorePorts store;
  Random& random;
  IdSource& ids;
  const crypto::SecretBox& box;
  const crypto::KeyedDigest& digest;  ///< names secrets
  const Clock& wall;                  ///< what senders' timestamps are compared with
  pipeline::Quarantine& quarantine;
  const model::HttpSender& sender;    ///< says which targets it would call
  model::Sandbox& sandbox;            ///< says which scripts it would run
  std::function<void()> job_started;  ///< a replay job was made; may be empty
  Trials* trials = nullptr;           ///< the handler's own
};

}  // namespace grapnel::api
