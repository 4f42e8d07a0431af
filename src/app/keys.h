// The process's own secrets in its data directory, each in a 0600 file: the master key, the sealed
// key of header digests, the first admin key.
#pragma once

#include <optional>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "crypto/keyed_digest.h"
#include "crypto/secret_box.h"
#include "model/registry.h"

namespace grapnel::app {

/// GRAPNEL_MASTER_KEY, else the key file, else nothing. Error: bad_config, the file cannot be read
/// or is malformed.
Result<std::optional<crypto::MasterKey>> find_master_key(const crypto::Secret& from_environment,
                                                         const std::string& file);
/// Makes a key and writes it to the file, which must not exist.
Result<crypto::MasterKey> make_master_key(Random& random, const std::string& file);

/// Opens every secret once, so that a wrong or missing master key stops the start and not a
/// delivery. The error's message names the key that is needed and where it belongs.
Result<> check_sealed(const crypto::SecretBox& box, const model::RegistrySnapshot& snapshot);
/// Whether anything in the store was sealed.
bool has_sealed(const model::RegistrySnapshot& snapshot);

/// The key that header digests are made with: random, sealed in DATA_DIR/digest.key, so that
/// digests stay the same when the master key is rotated.
Result<crypto::KeyedDigest> load_digest(const crypto::SecretBox& box, Random& random,
                                        const std::string& data_dir);

/// Writes `text` and a newline to a new 0600 file, synced. Error: bad_config.
Result<> write_secret_file(const std::string& file, std::string_view text);

}  // namespace grapnel::app
