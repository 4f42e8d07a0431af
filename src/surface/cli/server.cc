#include "surface/cli/server.h"

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <filesystem>

#include "surface/cli/limits.h"
#include "surface/cli/sheet.h"

namespace grapnel::cli {

async::Task<Result<>> run_backup(const Output& output, Client& client, BackupOptions options) {
  // The server wants an absolute path; a relative one is meant from here.
  std::error_code error;
  const auto folder = std::filesystem::absolute(options.folder, error).lexically_normal();
  Call call{.method = "POST", .path = "/api/backup", .timeout = kBackupTimeout};
  call.document = boost::json::object{{"folder", error ? options.folder : folder.string()}};
  const auto made = co_await client.json(std::move(call));
  if (!made) co_return fail(made.error());
  output.result(
      *made, fmt::format("backup written to {} on the server's machine", shown(*made, "folder")));
  co_return Result<>{};
}

async::Task<Result<>> run_status(const Output& output, Client& client) {
  const auto status = co_await client.json({.path = "/api/status"});
  if (!status) co_return fail(status.error());
  if (!output.is_for_people()) {
    output.document(*status);
    co_return Result<>{};
  }
  const bool writable = field_text(*status, "store.writable") == "true";
  Sheet sheet(output);
  sheet.field("Server",
              fmt::format("{} (version {})", client.server(), field_text(*status, "version")));
  sheet.painted("Store", writable ? "writable" : "not writable", writable ? Tone::good : Tone::bad);
  sheet.field("Reason", field_text(*status, "store.reason"));
  sheet.field("Definitions", fmt::format("{} sources, {} actions", field_text(*status, "sources"),
                                         field_text(*status, "actions")));
  sheet.field(
      "Open",
      fmt::format("{} pending, {} running, {} retrying", field_text(*status, "open.pending"),
                  field_text(*status, "open.running"), field_text(*status, "open.retrying")));
  sheet.field("Held", fmt::format("{} events", field_text(*status, "held.count")));
  sheet.field("Dead letters", field_text(*status, "dead_letters"));
  sheet.print();
  co_return Result<>{};
}

}  // namespace grapnel::cli
