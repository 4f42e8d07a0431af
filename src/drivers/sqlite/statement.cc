#include "drivers/sqlite/statement.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstring>

#include "base/check.h"
#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/limits.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

int ask_interrupt(void* asked) { return (*static_cast<std::function<bool()>*>(asked))() ? 1 : 0; }

}  // namespace

Query::Query(Connection& connection, std::string_view sql) : connection_(connection) {
  auto at = connection_.cache_.find(sql);
  if (at != connection_.cache_.end() && !at->second.taken) {
    statement_ = at->second.statement;
    taken_ = &at->second.taken;
    *taken_ = true;
    return;
  }
  auto prepared = connection_.prepare(sql);
  if (!prepared) {
    failure_ = std::move(prepared.error());
    return;
  }
  statement_ = *prepared;
  if (at != connection_.cache_.end() || connection_.cache_.size() >= kStatementsMax) return;
  at = connection_.cache_.emplace(std::string(sql), Connection::Cached{statement_, true}).first;
  taken_ = &at->second.taken;
}

Query::~Query() {
  if (taken_ == nullptr) {
    sqlite3_finalize(statement_);
    return;
  }
  reset();
  *taken_ = false;
}

Result<bool> Query::next() {
  if (failure_) return fail(*failure_);
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return fail(connection_.error(code));
}

Result<> Query::run() {
  for (;;) {
    const auto row = next();
    if (!row) return fail(row.error());
    if (!*row) return {};
  }
}

void Query::reset() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool Query::null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}
std::int64_t Query::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Query::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string_view Query::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Query::blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::optional<Time> Query::maybe_time(int column) const {
  if (null(column)) return std::nullopt;
  return time(column);
}

void Query::copy_bytes(int column, std::span<std::uint8_t> out) const {
  const std::string_view bytes = blob(column);
  if (bytes.size() == out.size()) std::memcpy(out.data(), bytes.data(), bytes.size());
}

// A failure to bind is the caller's bug or lack of memory; the next step tells it.
void Query::bind_one(int at, std::int64_t value) {
  if (failure_) return;
  if (const int code = sqlite3_bind_int64(statement_, at, value); code != SQLITE_OK) {
    failure_ = connection_.error(code);
  }
}
void Query::bind_one(int at, double value) {
  if (failure_) return;
  if (const int code = sqlite3_bind_double(statement_, at, value); code != SQLITE_OK) {
    failure_ = connection_.error(code);
  }
}
void Query::bind_one(int at, std::string_view text) {
  if (failure_) return;
  const char* bytes = text.empty() ? "" : text.data();
  const int code =
      sqlite3_bind_text64(statement_, at, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) failure_ = connection_.error(code);
}
void Query::bind_one(int at, Blob blob) {
  if (failure_) return;
  const char* bytes = blob.bytes.empty() ? "" : blob.bytes.data();
  const int code = sqlite3_bind_blob64(statement_, at, bytes, blob.bytes.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) failure_ = connection_.error(code);
}
void Query::bind_one(int at, std::nullptr_t) {
  if (failure_) return;
  if (const int code = sqlite3_bind_null(statement_, at); code != SQLITE_OK) {
    failure_ = connection_.error(code);
  }
}

Result<std::unique_ptr<Connection>> Connection::open(const ConnectionOptions& options) {
  std::unique_ptr<Connection> connection(new Connection);
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  // A reader of a WAL database writes to its shared memory, so its file is opened for writing too.
  flags |= SQLITE_OPEN_READWRITE;
  if (options.access == Access::read_write) flags |= SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(options.path.c_str(), &connection->db_, flags,
                                   options.vfs.empty() ? nullptr : options.vfs.c_str());
  if (code != SQLITE_OK) return fail(connection->error(code));
  sqlite3_busy_timeout(connection->db_, static_cast<int>(kBusyWaitMax.count()));
  auto done = connection->execute(fmt::format(
      "PRAGMA cache_size = -{}; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF{}",
      options.cache_bytes / 1024,
      options.access == Access::read_only ? "; PRAGMA query_only = ON" : ""));
  if (!done) return fail(std::move(done.error()));
  return connection;
}

Connection::~Connection() {
  for (const auto& [text, cached] : cache_) sqlite3_finalize(cached.statement);
  sqlite3_close_v2(db_);
}

Result<> Connection::execute(const std::string& sql) {
  const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(error(code));
  return {};
}

Result<std::int64_t> Connection::scalar(std::string_view sql) {
  auto rows = query(sql);
  const auto row = rows.next();
  if (!row) return fail(row.error());
  if (!*row) return fail(errc::bad_statement, "a query for one value found no row");
  return rows.integer(0);
}

Result<> Connection::begin() { return query("BEGIN IMMEDIATE").run(); }
Result<> Connection::commit() { return query("COMMIT").run(); }
void Connection::rollback() {
  if (in_transaction()) (void)query("ROLLBACK").run();
}
bool Connection::in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }
std::int64_t Connection::changes() const { return sqlite3_changes64(db_); }
void Connection::interrupt() { sqlite3_interrupt(db_); }

void Connection::interrupt_when(std::function<bool()> asked) {
  interrupt_asked_ = std::move(asked);
  sqlite3_progress_handler(db_, kInterruptCheckSteps, ask_interrupt, &interrupt_asked_);
}

void Connection::keep_wal() {
  sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  int keep = 1;
  sqlite3_file_control(db_, nullptr, SQLITE_FCNTL_PERSIST_WAL, &keep);
}

Result<Connection::CheckpointResult> Connection::checkpoint(Checkpoint mode, Millis wait_max) {
  static constexpr std::array kModes{SQLITE_CHECKPOINT_PASSIVE, SQLITE_CHECKPOINT_RESTART,
                                     SQLITE_CHECKPOINT_TRUNCATE};
  int frames = 0;
  int moved = 0;
  sqlite3_busy_timeout(db_, static_cast<int>(wait_max.count()));
  const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, kModes[static_cast<std::size_t>(mode)],
                                             &frames, &moved);
  sqlite3_busy_timeout(db_, static_cast<int>(kBusyWaitMax.count()));
  const int primary = code & 0xff;
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_INTERRUPT) {
    return CheckpointResult{.complete = false, .frames = frames};
  }
  if (code != SQLITE_OK) return fail(error(code));
  return CheckpointResult{.complete = frames == moved, .frames = frames};
}

Result<sqlite3_stmt*> Connection::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return fail(error(code));
  return statement;
}

Error Connection::error(int code) const {
  const char* said = db_ != nullptr ? sqlite3_errmsg(db_) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {model::errc::store_full, fmt::format("the store's disk is full ({})", said)};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {model::errc::store_read_only, fmt::format("the store cannot be written: {}", said)};
    case SQLITE_IOERR: {
      const int number = db_ != nullptr ? sqlite3_system_errno(db_) : 0;
      if (number == ENOSPC || number == EDQUOT) {
        return {model::errc::store_full, fmt::format("the store's disk is full ({})", said)};
      }
      return {model::errc::store_unavailable,
              fmt::format("the store's disk failed: {} ({}, {})", said, sqlite3_errstr(code),
                          number != 0 ? std::strerror(number) : "no system error")};
    }
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
      return {errc::bad_statement, fmt::format("the store refused a statement: {}", said)};
    case SQLITE_NOTADB: return {errc::not_a_store, "the file is not a database"};
    default:
      return {model::errc::store_unavailable,
              fmt::format("the store cannot be used now: {}", said)};
  }
}

}  // namespace grapnel::sqlite
