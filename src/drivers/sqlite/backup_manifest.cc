#include "drivers/sqlite/backup_manifest.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/schema.h"

namespace grapnel::sqlite {
namespace {

constexpr std::int64_t kFormat = 1;
constexpr std::string_view kDatabase = "grapnel.db";
constexpr std::string_view kBodies = "bodies/";

bool is_hex(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-';
  });
}

/// Only names that a backup gives: no path can lead out of its folder.
bool is_file_name(std::string_view name) {
  return name == kDatabase || (name.starts_with(kBodies) && is_hex(name.substr(kBodies.size())));
}

std::unexpected<Error> not_ours(std::string_view why) {
  return fail(errc::not_a_store, fmt::format("the backup's manifest cannot be read: {}", why));
}

const std::int64_t* number_in(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr ? value->if_int64() : nullptr;
}

Result<> read_files(const boost::json::object& files, BackupManifest& out) {
  for (const auto& field : files) {
    const auto* entry = field.value().if_object();
    if (entry == nullptr || !is_file_name(field.key())) return not_ours("a file name");
    const auto* bytes = number_in(*entry, "bytes");
    const auto* sha256 = entry->if_contains("sha256");
    if (bytes == nullptr || *bytes < 0 || sha256 == nullptr || !sha256->is_string())
      return not_ours("a file");
    out.files[std::string(field.key())] = {static_cast<std::uint64_t>(*bytes),
                                           std::string(sha256->get_string())};
  }
  if (!out.files.contains(std::string(kDatabase))) return not_ours("no database in it");
  return {};
}

}  // namespace

std::string to_text(const BackupManifest& manifest) {
  boost::json::object files;
  for (const auto& [name, sum] : manifest.files) {
    files[name] = {{"bytes", static_cast<std::int64_t>(sum.bytes)}, {"sha256", sum.sha256}};
  }
  boost::json::object out{{"format", kFormat},
                          {"schema", manifest.schema},
                          {"generation", manifest.generation},
                          {"seq", manifest.seq},
                          {"made_ms", manifest.made.time_since_epoch().count()},
                          {"made_at", to_rfc3339(manifest.made)},
                          {"files", std::move(files)}};
  return boost::json::serialize(out) + "\n";
}

Result<BackupManifest> manifest_from(std::string_view text) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse(text, error);
  if (error || !parsed.is_object()) return not_ours("it is not a JSON object");
  const auto& object = parsed.get_object();
  const auto* format = number_in(object, "format");
  if (format == nullptr) return not_ours("no format");
  if (*format > kFormat) {
    return fail(errc::newer_schema,
                "a newer version made the backup; restore it with that version");
  }
  const auto* schema = number_in(object, "schema");
  const auto* generation = number_in(object, "generation");
  const auto* seq = number_in(object, "seq");
  const auto* made = number_in(object, "made_ms");
  const auto* files = object.if_contains("files");
  if (schema == nullptr || generation == nullptr || seq == nullptr || made == nullptr ||
      files == nullptr || !files->is_object()) {
    return not_ours("a field is missing");
  }
  BackupManifest out{.schema = static_cast<int>(*schema),
                     .generation = *generation,
                     .seq = *seq,
                     .made = Time{Millis{*made}},
                     .files = {}};
  if (auto done = read_files(files->get_object(), out); !done) return fail(done.error());
  return out;
}

Result<> read_state(Connection& db, BackupManifest& out) {
  const auto schema = db.scalar("PRAGMA user_version");
  if (!schema) return fail(schema.error());
  const auto tables = db.scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'meta'");
  if (!tables) return fail(tables.error());
  // Triggers and views would be somebody's program that runs inside our statements.
  const auto foreign =
      db.scalar("SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index')");
  if (!foreign) return fail(foreign.error());
  if (*tables != 1 || *foreign != 0) {
    return fail(errc::not_a_store, "the copy is no database of ours");
  }
  out.schema = static_cast<int>(*schema);
  for (const auto& [key, value] :
       {std::pair{"generation", &out.generation}, std::pair{"seq", &out.seq}}) {
    const auto found = read_meta(db, key);
    if (!found) return fail(found.error());
    *value = *found;
  }
  const auto clock = read_meta(db, "clock");
  if (!clock) return fail(clock.error());
  out.made = Time{Millis{*clock}};
  return {};
}

}  // namespace grapnel::sqlite
