// RAII over SQLite: connections with a cache of prepared statements, and queries borrowed from it.
//
//   auto query = db.query("SELECT id, due_ms FROM deliveries WHERE seq = ?1");
//   query.bind(seq);
//   auto row = query.next();                 // Result<bool>
//   if (!row) return fail(row.error());
//   if (*row) use(query.id<model::DeliveryId>(0), query.time(1));
//
// A connection and its queries belong to one thread at a time. A second query of the same text
// while the first is still open is prepared for itself, at a price.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace grapnel::sqlite {

/// Bytes bound as BLOB; plain string_view is bound as TEXT. Both are not copied: they outlive the
/// steps.
struct Blob {
  std::string_view bytes;
  template <std::size_t N>
  static Blob of(const std::array<std::uint8_t, N>& bytes) {
    return {{reinterpret_cast<const char*>(bytes.data()), N}};
  }
};

class Connection;

/// One use of a prepared statement; reset when it goes.
class Query {
 public:
  Query(Connection& connection, std::string_view sql);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// Binds ?1, ?2, … in order. Integers, bools of the schema as int, double, Time (milliseconds),
  /// ids and Blob (BLOB), string_view (TEXT), nullptr (NULL), and optionals of them.
  template <class... Values>
  Query& bind(const Values&... values) {
    int at = 0;
    (bind_one(++at, values), ...);
    return *this;
  }
  /// Steps: true on a row, false at the end. Errors: store_*, bad_statement.
  Result<bool> next();
  /// Steps to the end. Errors as next().
  Result<> run();
  /// Ready to be bound and stepped again.
  void reset();

  // Columns of the present row, from 0. Texts and blobs live until the next step.
  bool null(int column) const;
  std::int64_t integer(int column) const;
  int number(int column) const { return static_cast<int>(integer(column)); }
  bool flag(int column) const { return integer(column) != 0; }
  double real(int column) const;
  std::string_view text(int column) const;
  std::string_view blob(int column) const;
  std::string string(int column) const { return std::string(text(column)); }
  Time time(int column) const { return Time{Millis{integer(column)}}; }
  std::optional<Time> maybe_time(int column) const;
  /// All zero when the column is NULL or of another size.
  template <class IdType>
  IdType id(int column) const {
    IdType id;
    copy_bytes(column, id.bytes);
    return id;
  }
  template <class IdType>
  std::optional<IdType> maybe_id(int column) const {
    if (null(column)) return std::nullopt;
    return id<IdType>(column);
  }
  void copy_bytes(int column, std::span<std::uint8_t> out) const;

 private:
  void bind_one(int at, std::int64_t value);
  void bind_one(int at, int value) { bind_one(at, std::int64_t{value}); }
  void bind_one(int at, double value);
  void bind_one(int at, std::string_view text);
  void bind_one(int at, const std::string& text) { bind_one(at, std::string_view(text)); }
  void bind_one(int at, const char* text) { bind_one(at, std::string_view(text)); }
  void bind_one(int at, Blob blob);
  void bind_one(int at, std::nullptr_t);
  void bind_one(int at, Time time) { bind_one(at, std::int64_t{time.time_since_epoch().count()}); }
  template <class Tag>
  void bind_one(int at, const Id<Tag>& id) {
    bind_one(at, Blob::of(id.bytes));
  }
  template <class Value>
  void bind_one(int at, const std::optional<Value>& value) {
    if (value) return bind_one(at, *value);
    bind_one(at, nullptr);
  }

  Connection& connection_;
  sqlite3_stmt* statement_ = nullptr;
  bool* taken_ = nullptr;         // of the cache's entry; null: prepared for this use alone
  std::optional<Error> failure_;  // of preparing or binding; told by the next step
};

enum class Access : std::uint8_t { read_write, read_only };

struct ConnectionOptions {
  std::string path;
  std::string vfs;  ///< "" = SQLite's default
  Access access = Access::read_write;
  std::size_t cache_bytes = 0;
};

class Connection {
 public:
  /// Opens (and for read_write creates) the file. Errors: store_*, not_a_store.
  static Result<std::unique_ptr<Connection>> open(const ConnectionOptions& options);
  /// Closes and finalizes its statements; checkpoints and removes the log when it is the last one,
  /// unless keep_wal() was called.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Query query(std::string_view sql) { return Query(*this, sql); }
  /// Runs statements without parameters or rows of interest (schema, PRAGMA, BEGIN).
  Result<> execute(const std::string& sql);
  /// First column of the first row; an error when there is none.
  Result<std::int64_t> scalar(std::string_view sql);

  Result<> begin();  ///< BEGIN IMMEDIATE
  Result<> commit();
  void rollback();  ///< of whatever is open; never fails
  bool in_transaction() const;
  /// Rows changed by the last statement.
  std::int64_t changes() const;

  /// Makes the running statement of any thread's use fail soon. Any thread.
  void interrupt();
  /// Looked at while statements run; `true` interrupts them.
  void interrupt_when(std::function<bool()> asked);
  /// Closing neither checkpoints nor removes the write-ahead log.
  void keep_wal();

  enum class Checkpoint : std::uint8_t { passive, restart, truncate };
  struct CheckpointResult {
    bool complete = false;  ///< everything in the log is in the database
    int frames = 0;
  };
  /// An incomplete one is no error.
  Result<CheckpointResult> checkpoint(Checkpoint mode, Millis wait_max);

  /// The error of the last call on this connection, as store_* or bad_statement.
  Error error(int code) const;
  sqlite3* raw() { return db_; }

 private:
  friend class Query;
  Connection() = default;
  struct Cached {
    sqlite3_stmt* statement = nullptr;
    bool taken = false;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  Result<sqlite3_stmt*> prepare(std::string_view sql);

  sqlite3* db_ = nullptr;
  std::unordered_map<std::string, Cached, TextHash, std::equal_to<>> cache_;
  std::function<bool()> interrupt_asked_;
};

}  // namespace grapnel::sqlite
