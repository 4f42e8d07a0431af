#include "surface/cli/run.h"

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <type_traits>
#include <utility>
#include <variant>

#include "base/version.h"
#include "surface/cli/apply.h"
#include "surface/cli/changes.h"
#include "surface/cli/client.h"
#include "surface/cli/command_line.h"
#include "surface/cli/completion.h"
#include "surface/cli/connection.h"
#include "surface/cli/describe.h"
#include "surface/cli/echo.h"
#include "surface/cli/keys.h"
#include "surface/cli/lists.h"
#include "surface/cli/output.h"
#include "surface/cli/replays.h"
#include "surface/cli/send.h"
#include "surface/cli/server.h"
#include "surface/cli/verify.h"

namespace grapnel::cli {
namespace {

/// "grapnel: " before each line, so that it is known who speaks in a longer log.
int report(const Environment& environment, const Error& error) {
  std::string_view text = error.context;
  const std::string message = error.message();
  if (text.empty()) text = message;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    environment.err(fmt::format("grapnel: {}\n", printable(line)));
  }
  return exit_code_of(error);
}

/// Those that call the API.
template <class Options>
async::Task<Result<>> run_remote(const Environment& environment, const Output& output,
                                 Client& client, Options options) {
  if constexpr (std::is_same_v<Options, ApplyOptions>) {
    return run_apply(environment, output, client, std::move(options));
  } else if constexpr (std::is_same_v<Options, GetOptions>) {
    return run_get(output, client, std::move(options));
  } else if constexpr (std::is_same_v<Options, DescribeOptions>) {
    return run_describe(output, client, std::move(options));
  } else if constexpr (std::is_same_v<Options, SendOptions>) {
    return run_send(environment, output, client, std::move(options));
  } else if constexpr (std::is_same_v<Options, VerifyOptions>) {
    return verify_there(environment, output, client, std::move(options));
  } else if constexpr (std::is_same_v<Options, ReplayOptions>) {
    return run_replay(environment, output, client, std::move(options));
  } else if constexpr (std::is_same_v<Options, ChangeOptions>) {
    return run_change(output, client, std::move(options));
  } else if constexpr (std::is_same_v<Options, RotateOptions>) {
    return run_rotate(output, client, std::move(options));
  } else if constexpr (std::is_same_v<Options, KeyOptions>) {
    return run_keys(output, client, std::move(options));
  } else if constexpr (std::is_same_v<Options, BackupOptions>) {
    return run_backup(output, client, std::move(options));
  } else {
    static_assert(std::is_same_v<Options, StatusOptions>);
    return run_status(output, client);
  }
}

async::Task<int> finish(const Environment& environment, async::Task<Result<>> task) {
  const auto result = co_await std::move(task);
  co_return result ? kExitOk : report(environment, result.error());
}

/// A text, or the error's line.
int print(const Environment& environment, const Result<std::string>& text) {
  if (!text) return report(environment, text.error());
  environment.out(text->ends_with('\n') ? *text : *text + "\n");
  return kExitOk;
}

void print_version(const Output& output) {
  if (output.is_for_people()) {
    output.line(fmt::format("grapnel {}", kVersion));
  } else {
    output.document(boost::json::object{{"version", kVersion}});
  }
}

class Runner {
 public:
  Runner(const Environment& environment, GlobalOptions global)
      : environment_(environment),
        global_(std::move(global)),
        output_(environment, global_.format) {}

  int operator()(const ServeOptions& options) const {
    const auto served = environment_.serve(options);
    return served ? kExitOk : report(environment_, served.error());
  }
  int operator()(const RestoreOptions& options) const {
    return print(environment_, environment_.restore(options));
  }
  int operator()(const ConfigCheckOptions& options) const {
    return print(environment_, environment_.check_config(options.file));
  }
  int operator()(const VersionOptions&) const {
    print_version(output_);
    return kExitOk;
  }
  int operator()(const CompletionOptions& options) const {
    return print(environment_, completion_script(options.tree, options.shell));
  }
  int operator()(const EchoOptions& options) const {
    return environment_.drive(finish(environment_, run_echo(environment_, output_, options)));
  }
  int operator()(const VerifyOptions& options) const {
    if (options.source) return remote(options);
    return environment_.drive(finish(environment_, verify_here(environment_, output_, options)));
  }
  template <class Options>
  int operator()(const Options& options) const {
    return remote(options);
  }

 private:
  template <class Options>
  int remote(const Options& options) const {
    auto connection = make_connection(environment_, global_);
    if (!connection) return report(environment_, connection.error());
    Client client(environment_.http, std::move(*connection));
    return environment_.drive(
        finish(environment_, run_remote(environment_, output_, client, options)));
  }

  const Environment& environment_;
  GlobalOptions global_;
  Output output_;
};

}  // namespace

int run(std::vector<std::string> arguments, const Environment& environment) {
  auto parsed = parse_command_line(std::move(arguments));
  if (!parsed) return report(environment, parsed.error());
  if (const auto* help = std::get_if<Help>(&*parsed)) {
    environment.out(help->text);
    return kExitOk;
  }
  auto& line = std::get<CommandLine>(*parsed);
  return std::visit(Runner(environment, std::move(line.global)), line.command);
}

int run(int argc, const char* const* argv, const Environment& environment) {
  return run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc), environment);
}

}  // namespace grapnel::cli
