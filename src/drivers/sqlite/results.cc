#include "drivers/sqlite/results.h"

#include <fmt/format.h>

#include "crypto/digest.h"
#include "drivers/sqlite/codec.h"
#include "drivers/sqlite/rows.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

using model::Seq;

/// Names alone, as headers without values.
std::string encode_names(const std::vector<std::string>& names) {
  model::HeaderList out;
  for (const auto& name : names) out.push_back({name, ""});
  return encode_headers(out);
}

std::vector<std::string> decode_names(std::string_view bytes) {
  std::vector<std::string> out;
  for (auto& header : decode_headers(bytes)) out.push_back(std::move(header.name));
  return out;
}

std::unexpected<Error> damaged(const model::Event& event, std::string_view how) {
  return fail(model::errc::body_damaged,
              fmt::format("the transformed body of event {} {}", event.id.str(), how));
}

/// The body of the row that `row` stands on: columns body, body_file.
Result<std::string> read_body(const Query& row, const Bodies& bodies, const model::Event& event) {
  if (row.null(1)) return std::string(row.blob(0));
  auto bytes = bodies.read(row.string(1));
  if (!bytes && bytes.error().code == model::errc::body_gone) {
    return damaged(event, "has lost its file");
  }
  return bytes;
}

Result<> apply_body(Connection& db, const Bodies& bodies, std::int64_t key, model::Event& event) {
  auto query =
      db.query("SELECT body, body_file, body_size, body_sha256 FROM results WHERE key = ?1");
  const auto row = query.bind(key).next();
  if (!row) return fail(row.error());
  auto body = read_body(query, bodies, event);
  if (!body) return fail(std::move(body.error()));
  event.body_size = static_cast<std::uint64_t>(query.integer(2));
  query.copy_bytes(3, event.body_sha256);
  event.body = std::move(*body);
  if (event.body.size() != event.body_size || crypto::sha256(event.body) != event.body_sha256) {
    return damaged(event, "does not match its checksum");
  }
  return {};
}

}  // namespace

Result<> insert_result(Transaction& tx, Seq event, int run, const model::Transformed& result) {
  const bool changes =
      result.type || result.body || !result.set_headers.empty() || !result.removed_headers.empty();
  if (!changes) return {};
  const std::string set = encode_headers(result.set_headers);
  const std::string removed = encode_names(result.removed_headers);
  std::optional<std::int64_t> size;
  std::optional<Blob> sha256;
  std::optional<Blob> body;
  std::optional<std::string_view> file;
  if (result.body) {
    size = static_cast<std::int64_t>(result.body_size);
    sha256 = Blob::of(result.body_sha256);
    if (result.body_file.empty()) {
      body = Blob{*result.body};
    } else {
      file = result.body_file;
    }
  }
  auto query = tx.db().query(
      "INSERT OR REPLACE INTO results(key, type, set_headers, removed_headers, body_size, "
      "body_sha256,"
      " body_file, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  return query
      .bind(result_key(event, run), result.type, Blob{set}, Blob{removed}, size, sha256, file, body)
      .run();
}

Result<> apply_result(Connection& db, const Bodies& bodies, int run, model::Event& event) {
  auto query =
      db.query("SELECT type, set_headers, removed_headers, body_size FROM results WHERE key = ?1");
  const std::int64_t key = result_key(event.seq, run);
  const auto row = query.bind(key).next();
  if (!row) return fail(row.error());
  if (!*row) return {};
  if (!query.null(0)) event.type = query.string(0);
  event.set_headers = decode_headers(query.blob(1));
  event.removed_headers = decode_names(query.blob(2));
  if (query.null(3)) return {};
  return apply_body(db, bodies, key, event);
}

Result<std::optional<std::int64_t>> result_size(Connection& db, Seq event, int run) {
  auto query = db.query("SELECT body_size FROM results WHERE key = ?1");
  const auto row = query.bind(result_key(event, run)).next();
  if (!row) return fail(row.error());
  if (!*row || query.null(0)) return std::optional<std::int64_t>{};
  return query.integer(0);
}

Result<> insert_split(Transaction& tx, Seq child, model::EventId parent) {
  auto query = tx.db().query("INSERT INTO splits(event_seq, parent) VALUES(?1, ?2)");
  return query.bind(child, parent).run();
}

Result<std::vector<model::Event>> read_splits(Connection& db, model::EventId parent) {
  std::vector<model::Event> out;
  auto rows = db.query(GRAPNEL_SQLITE_EVENT_SELECT
                       "JOIN splits c ON c.event_seq = e.seq WHERE c.parent = ?1 ORDER BY e.seq "
                       "LIMIT ?2");
  rows.bind(parent, static_cast<std::int64_t>(model::kSplitEventsMax));
  for (;;) {
    const auto row = rows.next();
    if (!row) return fail(row.error());
    if (!*row) return out;
    out.push_back(read_event(rows));
  }
}

Result<> remove_results(Transaction& tx, Seq event) {
  const std::int64_t from = result_key(event, 0);
  const std::int64_t to = result_key(event + 1, 0);
  auto files = tx.db().query(
      "SELECT body_file FROM results WHERE key >= ?1 AND key < ?2 AND body_file IS NOT NULL");
  files.bind(from, to);
  for (;;) {
    const auto row = files.next();
    if (!row) return fail(row.error());
    if (!*row) break;
    tx.unlink_after_commit(files.string(0));
  }
  auto results = tx.db().query("DELETE FROM results WHERE key >= ?1 AND key < ?2");
  if (auto done = results.bind(from, to).run(); !done) return done;
  auto split = tx.db().query("DELETE FROM splits WHERE event_seq = ?1");
  return split.bind(event).run();
}

}  // namespace grapnel::sqlite
