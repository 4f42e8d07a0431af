#include "surface/cli/changes.h"

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "model/ids.h"
#include "surface/cli/lists.h"

namespace grapnel::cli {
namespace {

using boost::json::value;

std::string change_path(const ChangeOptions& options) {
  const std::string id = encode_segment(options.id);
  switch (options.what) {
    case ChangeOptions::What::cancel:
      return options.id.starts_with(model::JobTag::kPrefix)
                 ? fmt::format("/api/replays/{}/cancel", id)
                 : fmt::format("/api/deliveries/{}/cancel", id);
    case ChangeOptions::What::retry: return fmt::format("/api/deliveries/{}/retry", id);
    case ChangeOptions::What::skip: return fmt::format("/api/deliveries/{}/skip", id);
    case ChangeOptions::What::enable: break;
  }
  return "";
}

std::string change_sentence(const ChangeOptions& options, const value& now) {
  switch (options.what) {
    case ChangeOptions::What::cancel: {
      const std::string state = shown(now, "state");
      const std::string id = shown(now, "id");
      return state == "cancelled" ? fmt::format("{} is cancelled", id)
                                  : fmt::format("{} will be cancelled when its attempt ends", id);
    }
    case ChangeOptions::What::retry: return fmt::format("{} is due now", shown(now, "id"));
    case ChangeOptions::What::skip:
      return fmt::format("the ordering key goes on past {}", shown(now, "id"));
    case ChangeOptions::What::enable:
      return fmt::format("action {} is enabled, its health is {}", shown(now, "name"),
                         shown(now, "health.status"));
  }
  return "";
}

}  // namespace

async::Task<Result<>> run_change(const Output& output, Client& client, ChangeOptions options) {
  std::string path = change_path(options);
  if (options.what == ChangeOptions::What::enable) {
    const auto name = parse_action_name(options.id);
    if (!name) co_return fail(name.error());
    path = path_of(*name) + "/enable";
  }
  Call call{.method = "POST", .path = std::move(path)};
  const auto changed = co_await client.json(std::move(call));
  if (!changed) co_return fail(changed.error());
  output.result(*changed, change_sentence(options, *changed));
  co_return Result<>{};
}

}  // namespace grapnel::cli
