// What can go wrong inside this driver, besides the store_* errors of the ports (model/errors.h).
#pragma once

#include "base/result.h"

namespace grapnel::sqlite {

enum class errc {
  locked = 1,     ///< another process holds the data directory; the message says which: stop it, or
                  ///< use another directory
  newer_schema,   ///< a newer Grapnel wrote this store: run that version or a newer one
  not_a_store,    ///< the file is no database of ours, or damaged beyond opening: restore a backup
  bad_statement,  ///< one command's fault (a constraint, a value out of range): a bug, reported to
                  ///< its caller alone
};
std::error_code make_error_code(errc code) noexcept;

/// Whether the store as a whole failed (disk full, read-only, I/O), so that no command can be
/// blamed.
bool is_store_failure(const Error& error);

}  // namespace grapnel::sqlite

template <>
struct std::is_error_code_enum<grapnel::sqlite::errc> : std::true_type {};
