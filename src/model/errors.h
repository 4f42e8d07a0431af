// What the ports of the domain answer when they cannot do what was asked.
#pragma once

#include "base/result.h"

namespace grapnel::model {

enum class errc {
  store_unavailable = 1,  ///< the store cannot commit or read now (I/O error); try again later
  store_full,             ///< no space left on its disk or a quota; try again later
  store_read_only,        ///< its directory or file system cannot be written; try again later
  not_found,              ///< no such thing, or not yours to see; look for it anew
  conflict,               ///< changed since it was read, or the name is taken; read it again
  not_terminal,           ///< only an ended delivery can be replayed; wait, or cancel it
  already_ended,          ///< an ended delivery cannot be cancelled or made due; replay it
  already_replayed,       ///< the dead delivery has a replay; replay that one
  body_gone,              ///< retention has removed the event's body; nothing can send it
  body_damaged,           ///< the stored body does not match its checksum; ask its sender
  action_deleted,         ///< its action no longer exists; replay its event instead
  endpoint_gone,          ///< its action's health is gone; enable it or give it a new target first
  old_cursor,             ///< a cursor of before a restore, or of another list; begin anew
  malformed,              ///< a text or document is not what it should be; mend it
  too_many,               ///< a bound on definitions or jobs is reached; remove some first
};
std::error_code make_error_code(errc code) noexcept;

}  // namespace grapnel::model

template <>
struct std::is_error_code_enum<grapnel::model::errc> : std::true_type {};
