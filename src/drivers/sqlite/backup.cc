#include "drivers/sqlite/backup.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <limits>
#include <memory>
#include <utility>

#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "drivers/sqlite/backup_manifest.h"
#include "drivers/sqlite/copy_files.h"
#include "drivers/sqlite/data_lock.h"
#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/private_files.h"
#include "drivers/sqlite/schema.h"
#include "model/errors.h"
#include "model/event.h"

namespace grapnel::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDatabase = "grapnel.db";
constexpr std::string_view kBodies = "bodies";
constexpr std::string_view kBackups = "backups";  // the only folder of the store's for others
constexpr std::string_view kManifest = "manifest.json";
constexpr std::string_view kStaging = "restoring";

std::string inside(const std::string& folder, std::string_view name) {
  return fmt::format("{}/{}", folder, name);
}
std::string body_name(std::string_view name) { return fmt::format("{}/{}", kBodies, name); }

/// Where a backup is made before it gets its name.
std::string partial_of(const std::string& folder) { return folder + ".partial"; }

/// Without links, as far as the path exists.
fs::path real_path(const fs::path& path) {
  std::error_code failed;
  const fs::path real = fs::weakly_canonical(path, failed);
  return failed ? fs::absolute(path).lexically_normal() : real;
}

bool exists(const std::string& path) {
  std::error_code failed;
  return fs::exists(fs::symlink_status(path, failed));
}

}  // namespace

/// One running sqlite3_backup: from the writer's connection into a file. Writer's thread, all of it
/// but construction.
class PageCopy {
 public:
  PageCopy() = default;
  ~PageCopy() { end(); }
  PageCopy(const PageCopy&) = delete;
  PageCopy& operator=(const PageCopy&) = delete;

  Result<> begin(Connection& source, const std::string& path);
  /// Answers whether all is copied.
  Result<bool> step(Connection& source);
  void end();

 private:
  std::unique_ptr<Connection> target_;
  sqlite3_backup* backup_ = nullptr;
};

Result<> PageCopy::begin(Connection& source, const std::string& path) {
  if (auto done = make_private_file(path); !done) return done;
  auto target = Connection::open(
      {.path = path, .vfs = {}, .access = Access::read_write, .cache_bytes = kReaderCacheBytes});
  if (!target) return fail(target.error());
  // Nobody reads the file before it is complete and synced by us, so SQLite need neither sync nor
  // journal.
  auto done = (*target)->execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF");
  if (!done) return done;
  target_ = std::move(*target);
  backup_ = sqlite3_backup_init(target_->raw(), "main", source.raw(), "main");
  if (backup_ == nullptr) return fail(target_->error(sqlite3_errcode(target_->raw())));
  return {};
}

Result<bool> PageCopy::step(Connection& source) {
  if (backup_ == nullptr) {
    return fail(model::errc::store_unavailable,
                "the store was opened anew while it was copied; try again");
  }
  const int code = sqlite3_backup_step(backup_, kBackupStepPages);
  if (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED) return false;
  const Error error = code == SQLITE_DONE ? Error{} : source.error(code);
  end();
  if (code == SQLITE_DONE) return true;
  return fail(error);
}

void PageCopy::end() {
  if (backup_ != nullptr) sqlite3_backup_finish(backup_);
  backup_ = nullptr;
  target_.reset();
}

namespace {

struct NamedBody {
  std::string name;
  std::uint64_t bytes = 0;
  std::string sha256;
};

/// The large bodies that the database names.
Result<std::vector<NamedBody>> named_bodies(Connection& db) {
  std::vector<NamedBody> out;
  auto rows = db.query(
      "SELECT body_file, body_size, body_sha256 FROM events WHERE body_file IS NOT NULL"
      " UNION ALL SELECT body_file, body_size, body_sha256 FROM results WHERE body_file IS"
      " NOT NULL");
  for (;;) {
    const auto row = rows.next();
    if (!row) return fail(row.error());
    if (!*row) return out;
    model::Sha256 digest{};
    rows.copy_bytes(2, digest);
    out.push_back({rows.string(0), static_cast<std::uint64_t>(rows.integer(1)),
                   crypto::hex_encode(crypto::as_text(digest))});
  }
}

Result<std::unique_ptr<Connection>> open_copy(const std::string& folder) {
  return Connection::open({.path = inside(folder, kDatabase),
                           .vfs = {},
                           .access = Access::read_write,
                           .cache_bytes = kWriterCacheBytes});
}

Result<> check_integrity(Connection& db) {
  auto rows = db.query("PRAGMA integrity_check(1)");
  const auto row = rows.next();
  if (!row) return fail(row.error());
  if (*row && rows.text(0) == "ok") return {};
  return fail(errc::not_a_store,
              fmt::format("the copy of the database is damaged: {}", rows.text(0)));
}

/// Size and checksum of a body's file against its event.
Result<FileSum> check_body(const std::string& folder, const NamedBody& body) {
  const std::string path = inside(folder, body_name(body.name));
  if (!exists(path))
    return fail(model::errc::body_gone, fmt::format("the body's file {} is missing", path));
  auto sum = sum_file(path);
  if (!sum) return sum;
  if (sum->bytes != body.bytes || sum->sha256 != body.sha256) {
    return fail(model::errc::body_damaged,
                fmt::format("the body's file {} does not match the checksum of its event", path));
  }
  return sum;
}

/// Everything after the database's pages: bodies, checks, manifest, syncs. On a reader's thread.
Result<> complete(const std::string& folder, const std::string& bodies_folder) {
  if (auto done = make_private_folder(inside(folder, kBodies)); !done) return done;
  BackupManifest manifest;
  {
    auto db = open_copy(folder);
    if (!db) return fail(db.error());
    if (auto done = check_integrity(**db); !done) return done;
    if (auto done = read_state(**db, manifest); !done) return done;
    const auto bodies = named_bodies(**db);
    if (!bodies) return fail(bodies.error());
    for (const NamedBody& body : *bodies) {
      const std::string name = body_name(body.name);
      auto done = link_or_copy(inside(bodies_folder, body.name), inside(folder, name));
      if (!done) return done;
      auto sum = check_body(folder, body);
      if (!sum) return fail(sum.error());
      manifest.files[name] = std::move(*sum);
    }
  }
  auto sum = sum_file(inside(folder, kDatabase));
  if (!sum) return fail(sum.error());
  manifest.files[std::string(kDatabase)] = std::move(*sum);
  auto done = write_synced(inside(folder, kManifest), to_text(manifest));
  if (done) done = sync_path(inside(folder, kDatabase));
  if (done) done = sync_path(inside(folder, kBodies));
  if (done) done = sync_path(folder);
  return done;
}

/// The partial folder, fresh. What a backup that was cut off left there goes.
Result<> make_partial(const std::string& partial) {
  if (exists(partial)) {
    std::error_code unreadable;
    const bool empty = fs::is_empty(partial, unreadable);
    // A store has a database, too, and beside it a lock.
    const bool is_ours = exists(inside(partial, kDatabase)) && !exists(inside(partial, kLockFile));
    if (!is_ours && (!empty || unreadable)) {
      return fail(model::errc::conflict,
                  fmt::format("{} exists and was not made by a backup", partial));
    }
    if (auto done = remove_all(partial); !done) return done;
  }
  return make_private_folder(partial);
}

/// `unended`: a copy that could not be ended because the store failed under it; also where this one
/// is left then. The writer ends it before it closes its connection.
async::Task<Result<>> copy_pages(Writer& writer, std::shared_ptr<PageCopy>& unended,
                                 std::string path) {
  const auto former = std::exchange(unended, nullptr);
  const auto copy = std::make_shared<PageCopy>();
  unended = copy;
  writer.on_close([copy, former] {
    if (former) former->end();
    copy->end();
  });
  auto done = co_await writer.between_commits([&](Connection& db) {
    if (former) former->end();
    return copy->begin(db, path);
  });
  for (bool all = false; done && !all;) {
    const auto stepped =
        co_await writer.between_commits([&copy](Connection& db) { return copy->step(db); });
    if (!stepped) done = fail(stepped.error());
    all = stepped.value_or(false);
  }
  const auto ended = co_await writer.between_commits([&](Connection&) -> Result<> {
    if (former) former->end();
    copy->end();
    return {};
  });
  if (!ended) co_return done ? ended : done;
  writer.on_close({});
  unended.reset();
  co_return done;
}

}  // namespace

Result<> check_backup_folder(const std::string& folder, const std::string& data_dir) {
  const fs::path path = fs::path(folder).lexically_normal();
  if (!path.is_absolute() || path.filename().empty() || folder.find('\0') != std::string::npos) {
    return fail(model::errc::malformed,
                fmt::format("expected an absolute path of a new folder, given \"{}\"", folder));
  }
  const fs::path store = real_path(data_dir);
  for (const fs::path& made : {real_path(path), real_path(partial_of(path.string()))}) {
    const fs::path inside = made.lexically_relative(store);
    const bool among_ours = *inside.begin() != "..";
    const bool in_backups = *inside.begin() == kBackups && inside != kBackups;
    if (among_ours && !in_backups) {
      return fail(model::errc::malformed,
                  fmt::format("{} is where the store keeps its own files; name a folder elsewhere, "
                              "or in {}/{}",
                              made.string(), store.string(), kBackups));
    }
  }
  if (exists(path.string())) {
    return fail(model::errc::conflict, fmt::format("{} exists already; name a new folder", folder));
  }
  return {};
}

async::Task<Result<>> make_backup(Writer& writer, Readers& readers, Bodies& bodies,
                                  std::shared_ptr<PageCopy>& unended, std::string folder) {
  folder = fs::path(folder).lexically_normal().string();
  const std::string partial = partial_of(folder);
  auto done = co_await readers.run([&partial] { return make_partial(partial); });
  if (!done) co_return done;
  const auto hold =
      bodies.hold();  // from before the first page, so that every body it will name stays
  done = co_await copy_pages(writer, unended, inside(partial, kDatabase));
  if (done) done = co_await readers.run([&] { return complete(partial, bodies.folder()); });
  if (done && exists(folder)) {
    done = fail(model::errc::conflict, fmt::format("{} exists already; name a new folder", folder));
  }
  if (done) done = co_await readers.run([&] { return rename_synced(partial, folder); });
  if (!done) (void)co_await readers.run([&partial] { return remove_all(partial); });
  co_return done;
}

namespace {

Result<BackupManifest> load_manifest(const std::string& folder) {
  const std::string path = inside(folder, kManifest);
  if (!exists(path)) {
    return fail(errc::not_a_store,
                fmt::format("{} holds no backup (there is no {})", folder, kManifest));
  }
  auto text = read_whole(path);
  if (!text) return fail(text.error());
  auto manifest = manifest_from(*text);
  if (!manifest) return manifest;
  if (manifest->schema > newest_schema()) {
    return fail(errc::newer_schema,
                fmt::format("the backup has schema {}, this program knows up to {}: restore it "
                            "with the version that made it or a newer one",
                            manifest->schema, newest_schema()));
  }
  return manifest;
}

Result<BackupSummary> verify_files(const std::string& folder, const BackupManifest& manifest) {
  BackupSummary summary{.schema = manifest.schema,
                        .generation = manifest.generation,
                        .seq = manifest.seq,
                        .made = manifest.made,
                        .bytes = 0,
                        .bodies = manifest.files.size() - 1};
  for (const auto& [name, expected] : manifest.files) {
    const auto sum = sum_file(inside(folder, name));
    if (!sum) return fail(sum.error());
    if (*sum != expected) {
      return fail(errc::not_a_store,
                  fmt::format("{}/{} differs from what the backup wrote", folder, name));
    }
    summary.bytes += sum->bytes;
  }
  return summary;
}

/// What the database says about itself, in a scratch copy or the restored file: opening a database
/// may write.
Result<> verify_database(Connection& db, const BackupManifest& manifest) {
  if (auto done = check_integrity(db); !done) return done;
  BackupManifest state;
  if (auto done = read_state(db, state); !done) return done;
  if (state.schema != manifest.schema || state.seq != manifest.seq ||
      state.generation != manifest.generation) {
    return fail(errc::not_a_store, "the backup's manifest belongs to another database");
  }
  const auto bodies = named_bodies(db);
  if (!bodies) return fail(bodies.error());
  for (const NamedBody& body : *bodies) {
    const auto at = manifest.files.find(body_name(body.name));
    if (at == manifest.files.end()) {
      return fail(model::errc::body_gone, fmt::format("the backup lacks the body {}", body.name));
    }
    if (at->second != FileSum{body.bytes, body.sha256}) {
      return fail(model::errc::body_damaged,
                  fmt::format("the body {} does not match its event", body.name));
    }
  }
  return {};
}

Result<> leap(Connection& db) {
  // One backup may be restored twice: the clock tells the two generations apart.
  const std::int64_t now = std::chrono::duration_cast<std::chrono::microseconds>(
                               std::chrono::system_clock::now().time_since_epoch())
                               .count();
  struct Step {
    std::string_view key;
    std::int64_t by;
    std::int64_t at_least;
  };
  if (auto done = db.begin(); !done) return done;
  for (const auto& [key, by, at_least] :
       {Step{"generation", 1, now}, Step{"seq", kSeqLeap, 0}, Step{"epoch", kEpochLeap, 0},
        Step{"revision", kRevisionLeap, 0}}) {
    const auto value = read_meta(db, key);
    if (!value) return fail(value.error());
    if (*value < 0 || *value > std::numeric_limits<std::int64_t>::max() - by) {
      return fail(errc::not_a_store, fmt::format("the backup's {} is no number of ours", key));
    }
    if (auto done = write_meta(db, key, std::max(*value + by, at_least)); !done) return done;
  }
  return db.commit();
}

/// Of a restore that was cut off: its bodies may have been moved in already, its database not.
Result<> clear_leftovers(const std::string& data_dir) {
  const std::string staging = inside(data_dir, kStaging);
  if (!exists(staging)) return {};
  if (!exists(inside(data_dir, kDatabase))) {
    if (auto done = remove_all(inside(data_dir, kBodies)); !done) return done;
  }
  return remove_all(staging);
}

Result<> refuse_store(const std::string& data_dir) {
  for (const auto* name : {"grapnel.db", "grapnel.db-wal", "grapnel.db-shm"}) {
    if (exists(inside(data_dir, name))) {
      return fail(model::errc::conflict,
                  fmt::format("{} holds a store already ({}); restore into an empty folder",
                              data_dir, name));
    }
  }
  std::error_code failed;
  const std::string bodies = inside(data_dir, kBodies);
  if (exists(bodies) && !fs::is_empty(bodies, failed)) {
    return fail(model::errc::conflict,
                fmt::format("{} holds bodies of a store; restore into an empty folder", data_dir));
  }
  return {};
}

/// Copies into DIR/restoring, checks and leaps there. Nothing of it is in use yet.
Result<> prepare(const std::string& folder, const std::string& staging,
                 const BackupManifest& manifest) {
  if (auto done = make_private_folder(staging); !done) return done;
  if (auto done = make_private_folder(inside(staging, kBodies)); !done) return done;
  for (const auto& [name, sum] : manifest.files) {
    if (auto done = copy_synced(inside(folder, name), inside(staging, name)); !done) return done;
  }
  {
    auto db = open_copy(staging);
    if (!db) return fail(db.error());
    if (auto done = verify_database(**db, manifest); !done) return done;
    if (auto done = leap(**db); !done) return done;
    auto folded = (*db)->checkpoint(Connection::Checkpoint::truncate, kBusyWaitMax);
    if (!folded) return fail(folded.error());
  }
  if (auto done = sync_path(inside(staging, kDatabase)); !done) return done;
  return sync_path(inside(staging, kBodies));
}

/// The database comes last: without it there is no store.
Result<> move_in(const std::string& staging, const std::string& data_dir) {
  std::error_code failed;
  fs::remove(inside(data_dir, kBodies), failed);  // empty, or not there
  if (auto done = rename_synced(inside(staging, kBodies), inside(data_dir, kBodies)); !done)
    return done;
  auto done = rename_synced(inside(staging, kDatabase), inside(data_dir, kDatabase));
  if (done) done = remove_all(staging);
  return done;
}

}  // namespace

Result<BackupSummary> restore_backup(const std::string& folder, const std::string& data_dir) {
  const auto manifest = load_manifest(folder);
  if (!manifest) return fail(manifest.error());
  const auto lock = DataLock::acquire(data_dir);
  if (!lock) return fail(lock.error());
  if (auto done = clear_leftovers(data_dir); !done) return fail(done.error());
  if (auto done = refuse_store(data_dir); !done) return fail(done.error());
  auto summary = verify_files(folder, *manifest);
  if (!summary) return summary;
  const std::string staging = inside(data_dir, kStaging);
  auto done = prepare(folder, staging, *manifest);
  if (done) done = move_in(staging, data_dir);
  if (!done) {
    (void)remove_all(staging);
    return fail(done.error());
  }
  return summary;
}

}  // namespace grapnel::sqlite
