// `grapnel get`: what the server has, as rows.
#pragma once

#include "async/task.h"
#include "base/result.h"
#include "surface/cli/client.h"
#include "surface/cli/command_line.h"
#include "surface/cli/output.h"

namespace grapnel::cli {

async::Task<Result<>> run_get(const Output& output, Client& client, GetOptions options);

/// Columns of a kind's table.
std::span<const Column> columns_of(Kind kind);

/// A time as people give it: RFC 3339, or a duration: so long before `now` (`Direction::ago`) or
/// after it. Gives RFC 3339. Error: usage, naming the option.
enum class Direction : std::uint8_t { ago, from_now };
Result<std::string> time_of(std::string_view option, std::string_view text, Time now,
                            Direction direction);

/// "SOURCE/ACTION". Error: usage.
struct ActionName {
  std::string source;
  std::string action;
};
Result<ActionName> parse_action_name(std::string_view text);
/// "/api/sources/SOURCE/actions/ACTION"
std::string path_of(const ActionName& name);

}  // namespace grapnel::cli
