#include "app/keys.h"

#include <fmt/format.h>
#include <unistd.h>

#include "app/errors.h"
#include "app/limits.h"
#include "app/secret_file.h"
#include "crypto/errors.h"
#include "crypto/limits.h"
#include "crypto/token.h"

namespace grapnel::app {
namespace {

constexpr std::string_view kDigestContext = "header digest key";

std::string digest_file(const std::string& data_dir) { return data_dir + "/digest.key"; }

std::string master_key_file(const Config& config) {
  return config.master_key_file.empty() ? config.data_dir + "/master.key" : config.master_key_file;
}

/// `name` is the setting or file that a wrong text is blamed on.
Result<crypto::MasterKey> parse_key(std::string_view name, const crypto::Secret& text) {
  auto key = crypto::parse_master_key(text.reveal());
  if (!key) return fail(errc::bad_config, fmt::format("{}: {}", name, key.error().message()));
  return key;
}

/// Nothing: there is none yet.
Result<std::optional<crypto::MasterKey>> find_master_key(const Config& config) {
  const std::string file = master_key_file(config);
  auto key = Result<crypto::MasterKey>(std::unexpected(Error{}));
  if (!config.master_key.empty()) {
    key = parse_key("GRAPNEL_MASTER_KEY", config.master_key);
  } else {
    auto text = read_secret_file(file);
    if (!text) return fail(std::move(text.error()));
    if (!*text) return std::nullopt;
    key = parse_key(file, **text);
  }
  if (!key) return fail(std::move(key.error()));
  return std::move(*key);
}

Result<std::vector<crypto::MasterKey>> find_older_keys(const Config& config) {
  std::vector<crypto::MasterKey> keys;
  for (const auto& text : config.older_master_keys) {
    auto key = parse_key("GRAPNEL_MASTER_KEY_OLD", text);
    if (!key) return fail(std::move(key.error()));
    keys.push_back(std::move(*key));
  }
  for (const auto& file : config.master_key_older_files) {
    auto text = read_secret_file(file);
    if (!text) return fail(std::move(text.error()));
    if (!*text) {
      return fail(errc::bad_config,
                  fmt::format("master_key_older_files: {} does not exist; take it from the list "
                              "once a start has sealed everything anew",
                              file));
    }
    auto key = parse_key(file, **text);
    if (!key) return fail(std::move(key.error()));
    keys.push_back(std::move(*key));
  }
  if (keys.size() > crypto::kOlderKeysMax) {
    return fail(errc::bad_config,
                fmt::format("GRAPNEL_MASTER_KEY_OLD and master_key_older_files: expected at most "
                            "{} keys together, given {}",
                            crypto::kOlderKeysMax, keys.size()));
  }
  return keys;
}

bool has_sealed(const model::RegistrySnapshot& snapshot) {
  for (const auto& [id, entry] : snapshot.sources) {
    if (!entry->source.inbound.secrets.empty()) return true;
    for (const auto& action : entry->actions) {
      if (!action->secrets.empty()) return true;
    }
  }
  return false;
}

std::unexpected<Error> does_not_open(std::string_view what, const Error& why) {
  const std::string_view where =
      why.code == make_error_code(crypto::errc::wrong_key)
          ? " (GRAPNEL_MASTER_KEY_OLD, or master_key_older_files in grapnel.yaml)"
          : "";
  return fail(errc::bad_config, fmt::format("{} does not open: {}{}", what, why.message(), where));
}

Result<> check_sealed(const crypto::SecretBox& box, const model::RegistrySnapshot& snapshot) {
  for (const auto& [id, entry] : snapshot.sources) {
    for (const auto& secret : entry->source.inbound.secrets) {
      const auto opened = box.open(secret.sealed, entry->source.id.str());
      if (opened) continue;
      return does_not_open(fmt::format("a secret of source {}", entry->source.slug),
                           opened.error());
    }
    for (const auto& action : entry->actions) {
      for (const auto& secret : action->secrets) {
        const auto opened = box.open(secret.sealed, action->id.str());
        if (opened) continue;
        return does_not_open(fmt::format("the signing secret of action {} of source {}",
                                         action->name, entry->source.slug),
                             opened.error());
      }
    }
  }
  return {};
}

/// Nothing: there is none yet.
Result<std::optional<crypto::KeyedDigest>> open_digest(const crypto::SecretBox& box,
                                                       const std::string& file) {
  auto sealed = read_secret_file(file);
  if (!sealed) return fail(std::move(sealed.error()));
  if (!*sealed) return std::nullopt;
  auto key = box.open((*sealed)->reveal(), kDigestContext);
  if (!key) return does_not_open(file, key.error());
  return crypto::KeyedDigest(std::move(*key));
}

Result<crypto::KeyedDigest> make_digest(const crypto::SecretBox& box, Random& random,
                                        const std::string& file) {
  std::string bytes(kDigestKeyBytes, '\0');
  random.fill(std::as_writable_bytes(std::span{bytes}));
  auto secret = crypto::Secret::take(std::move(bytes));
  const auto text = box.seal(secret.reveal(), kDigestContext);
  if (!text) return fail(text.error());
  if (auto written = write_secret_file(file, *text); !written) return fail(written.error());
  return crypto::KeyedDigest(std::move(secret));
}

Result<std::string> seal_anew(const crypto::SecretBox& box, std::string_view sealed,
                              std::string_view context) {
  const auto secret = box.open(sealed, context);
  if (!secret) return fail(secret.error());
  return box.seal(secret->reveal(), context);
}

struct Resealed {
  std::vector<model::RegistryChange> changes;
  std::size_t secrets = 0;
};

Result<> seal_anew(const crypto::SecretBox& box, const model::Action& action, Resealed& out) {
  model::PutAction change{.action = action, .expected = action.revision};
  const std::size_t before = out.secrets;
  for (auto& secret : change.action.secrets) {
    if (!box.is_outdated(secret.sealed)) continue;
    auto sealed = seal_anew(box, secret.sealed, action.id.str());
    if (!sealed) return fail(std::move(sealed.error()));
    secret.sealed = std::move(*sealed);
    ++out.secrets;
  }
  if (out.secrets > before) out.changes.emplace_back(std::move(change));
  return {};
}

Result<> seal_anew(const crypto::SecretBox& box, const model::Source& source, Resealed& out) {
  model::PutSource change{.source = source, .expected = source.revision};
  const std::size_t before = out.secrets;
  for (auto& secret : change.source.inbound.secrets) {
    if (!box.is_outdated(secret.sealed)) continue;
    auto sealed = seal_anew(box, secret.sealed, source.id.str());
    if (!sealed) return fail(std::move(sealed.error()));
    secret.sealed = std::move(*sealed);
    ++out.secrets;
  }
  if (out.secrets > before) out.changes.emplace_back(std::move(change));
  return {};
}

/// How many: one, or none when the current key sealed it.
Result<std::size_t> seal_digest_anew(const crypto::SecretBox& box, const std::string& file) {
  const auto old = read_secret_file(file);
  if (!old) return fail(old.error());
  if (!*old || !box.is_outdated((*old)->reveal())) return 0;
  const auto sealed = seal_anew(box, (*old)->reveal(), kDigestContext);
  if (!sealed) return fail(sealed.error());
  if (auto replaced = replace_secret_file(file, *sealed); !replaced) return fail(replaced.error());
  return 1;
}

}  // namespace

Result<Keys> open_keys(const Config& config, const model::RegistrySnapshot& snapshot,
                       Random& random) {
  auto current = find_master_key(config);
  if (!current) return fail(std::move(current.error()));
  auto older = find_older_keys(config);
  if (!older) return fail(std::move(older.error()));
  const bool is_new = !current->has_value();
  if (is_new && older->empty() && has_sealed(snapshot)) {
    return fail(errc::bad_config,
                fmt::format("the master key is missing: set GRAPNEL_MASTER_KEY, or put the key "
                            "back into {}; the store holds secrets that only it opens",
                            master_key_file(config)));
  }
  crypto::MasterKey key = is_new ? crypto::MasterKey::make(random) : std::move(**current);
  const crypto::Secret text = key.text();
  crypto::SecretBox box(random, std::move(key), std::move(*older));
  if (auto checked = check_sealed(box, snapshot); !checked) return fail(checked.error());
  auto digest = open_digest(box, digest_file(config.data_dir));
  if (!digest) return fail(std::move(digest.error()));
  std::string made_file;
  if (is_new) {
    made_file = master_key_file(config);
    if (auto written = write_secret_file(made_file, text.reveal()); !written) {
      return fail(written.error());
    }
  }
  if (!*digest) {
    auto made = make_digest(box, random, digest_file(config.data_dir));
    if (!made) return fail(std::move(made.error()));
    *digest = std::move(*made);
  }
  return Keys{.box = std::move(box), .digest = std::move(**digest), .made_file = made_file};
}

async::Task<Result<std::size_t>> seal_anew(const crypto::SecretBox& box, model::Registry& registry,
                                           std::string data_dir) {
  Resealed resealed;
  const model::SnapshotPtr snapshot = registry.snapshot();
  for (const auto& [id, entry] : snapshot->sources) {
    // Before its actions, whose changes would raise its revision.
    if (auto done = seal_anew(box, entry->source, resealed); !done) co_return fail(done.error());
    for (const auto& action : entry->actions) {
      if (auto done = seal_anew(box, *action, resealed); !done) co_return fail(done.error());
    }
  }
  if (!resealed.changes.empty()) {
    const auto committed = co_await registry.commit(std::move(resealed.changes));
    if (!committed) co_return fail(committed.error());
  }
  const auto digests = seal_digest_anew(box, digest_file(data_dir));
  if (!digests) co_return fail(digests.error());
  co_return resealed.secrets + *digests;
}

async::Task<Result<std::optional<FirstKey>>> make_first_key(model::Registry& registry,
                                                            IdSource& ids, Random& random,
                                                            std::string data_dir) {
  if (!registry.snapshot()->keys.empty()) co_return std::nullopt;
  FirstKey first{.file = data_dir + "/admin.key", .token = crypto::make_token(random)};
  // A file without its row is left by a start that was cut off: its key was never valid.
  ::unlink(first.file.c_str());
  if (auto written = write_secret_file(first.file, first.token.reveal()); !written) {
    co_return fail(written.error());
  }
  model::ApiKey key;
  key.id = ids.make<model::KeyId>();
  key.name = "admin";
  key.hash = crypto::token_hash(first.token.reveal());
  key.scope = model::KeyScope::admin;
  std::vector<model::RegistryChange> changes;
  changes.emplace_back(model::PutKey{std::move(key)});
  const auto committed = co_await registry.commit(std::move(changes));
  if (!committed) co_return fail(committed.error());
  co_return first;
}

}  // namespace grapnel::app
