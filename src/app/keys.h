// The process's own keys: the master key, the sealed key of header digests, the first admin key.
#pragma once

#include <optional>
#include <string>

#include "app/config.h"
#include "async/task.h"
#include "base/id.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/keyed_digest.h"
#include "crypto/secret_box.h"
#include "model/registry.h"

namespace grapnel::app {

struct Keys {
  crypto::SecretBox box;
  /// What header digests are made with: random, sealed in DATA_DIR/digest.key, so that digests stay
  /// the same when the master key is rotated.
  crypto::KeyedDigest digest;
  std::string made_file;  ///< where a new master key was written; "": there was one
};

/// Finds the master key (GRAPNEL_MASTER_KEY, else its file) and the older ones, and opens every
/// sealed secret once, so that a wrong or missing key stops the start and not a delivery. Without a
/// master key a new one is made, unless that would leave a sealed secret without its key. Nothing
/// is written before everything opened. `random` outlives the box. Errors: bad_config (the message
/// names the key that is needed and where it belongs), file_failed.
Result<Keys> open_keys(const Config& config, const model::RegistrySnapshot& snapshot,
                       Random& random);

/// Seals anew, under the current master key, whatever an older one sealed: all signing secrets in
/// one commit, then DATA_DIR/digest.key. Returns how many secrets it were; after that the older
/// keys are not needed. A failure in between leaves what both keys together open. `box`, `registry`
/// outlive the task. Errors: those of the registry, file_failed.
async::Task<Result<std::size_t>> seal_anew(const crypto::SecretBox& box, model::Registry& registry,
                                           std::string data_dir);

struct FirstKey {
  std::string file;  ///< DATA_DIR/admin.key
  crypto::Secret token;
};
/// The first start makes an admin key, so that somebody can begin; nothing when the store has keys.
/// The references outlive the task. Errors: those of the registry, file_failed.
async::Task<Result<std::optional<FirstKey>>> make_first_key(model::Registry& registry,
                                                            IdSource& ids, Random& random,
                                                            std::string data_dir);

}  // namespace grapnel::app
