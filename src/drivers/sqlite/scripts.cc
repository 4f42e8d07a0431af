#include "drivers/sqlite/scripts.h"

#include "model/limits.h"

namespace grapnel::sqlite {

Result<> keep_script(Transaction& tx, const IdBytes& owner, const model::Script& script) {
  auto insert = tx.db().query(
      "INSERT OR IGNORE INTO scripts(owner, version, created_ms, body) VALUES(?1, ?2, ?3, ?4)");
  auto done = insert.bind(Blob::of(owner), script.version, tx.now(), script.body).run();
  if (!done) return done;
  auto cut = tx.db().query("DELETE FROM scripts WHERE owner = ?1 AND version <= ?2");
  const std::int64_t kept = model::kScriptVersionsMax;
  return cut.bind(Blob::of(owner), script.version - kept).run();
}

Result<std::vector<model::ScriptVersion>> read_scripts(Connection& db, const IdBytes& owner) {
  std::vector<model::ScriptVersion> out;
  auto rows = db.query(
      "SELECT version, created_ms, body FROM scripts WHERE owner = ?1 ORDER BY version DESC");
  rows.bind(Blob::of(owner));
  for (;;) {
    const auto row = rows.next();
    if (!row) return fail(row.error());
    if (!*row) return out;
    out.push_back({.version = rows.number(0), .created = rows.time(1), .body = rows.string(2)});
  }
}

Result<> remove_scripts(Transaction& tx, const IdBytes& owner) {
  auto query = tx.db().query("DELETE FROM scripts WHERE owner = ?1");
  return query.bind(Blob::of(owner)).run();
}

}  // namespace grapnel::sqlite
