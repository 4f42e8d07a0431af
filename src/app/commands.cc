#include "app/commands.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "app/config.h"
#include "app/daemon.h"
#include "app/errors.h"
#include "async/scope.h"
#include "async/timers.h"
#include "drivers/http/client.h"
#include "drivers/http/server.h"
#include "drivers/sqlite/backup.h"
#include "surface/cli/environment.h"
#include "surface/cli/errors.h"
#include "surface/cli/run.h"
#include "surface/cli/yaml_writer.h"

namespace grapnel::app {
namespace {

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

void write_all(std::FILE* to, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

/// Mistakes in the settings are the command line's own: they end it like any wrong file.
Result<Config> command_config(const std::optional<std::string>& path, const Overrides& overrides) {
  auto config = load_config(path, variable, overrides);
  if (!config) return fail(cli::errc::malformed, config.error().message());
  return config;
}

Result<> serve_command(const cli::ServeOptions& options) {
  const auto config = command_config(options.config, {.data_dir = options.data_dir,
                                                      .listen = options.listen,
                                                      .metrics_listen = options.metrics_listen});
  if (!config) return fail(config.error());
  return serve(*config);
}

Result<std::string> restore_command(const cli::RestoreOptions& options) {
  ::umask(0077);
  const auto restored = sqlite::restore_backup(options.folder, options.data_dir);
  if (!restored) return std::unexpected(restored.error());
  return fmt::format(
      "restored {} into {}: the store as of {}, {} bytes, {} large bodies. The master key is not "
      "part of a "
      "backup: put it into {}/master.key or GRAPNEL_MASTER_KEY before the start.",
      options.folder, options.data_dir, to_rfc3339(restored->made), restored->bytes,
      restored->bodies, options.data_dir);
}

Result<std::string> check_config_command(const std::optional<std::string>& path) {
  const auto config = command_config(path, {});
  if (!config) return fail(config.error());
  return cli::to_yaml(to_json(*config));
}

Result<std::string> read_standard_input() {
  std::string text;
  std::string buffer(kInputReadBytes, '\0');
  while (true) {
    const auto got = std::fread(buffer.data(), 1, buffer.size(), stdin);
    text.append(buffer, 0, got);
    if (text.size() > kInputBytesMax)
      return fail(errc::file_failed, "standard input is longer than 64 MiB");
    if (got < buffer.size()) break;
  }
  if (std::ferror(stdin) != 0) return fail(errc::file_failed, "standard input cannot be read");
  return text;
}

/// A server that answers with a command's own handler.
class CommandListener final : public cli::Listener {
 public:
  CommandListener(async::Executor executor, async::Timers& timers, Endpoint endpoint,
                  model::HttpHandler& handler)
      : timers_(timers),
        endpoint_(std::move(endpoint)),
        server_(executor, {.address = endpoint_.address, .port = endpoint_.port}, handler) {}

  Result<> start() {
    auto started = server_.start();
    if (started) endpoint_.port = server_.port();
    return started;
  }
  std::string address() const override { return endpoint_.str(); }
  async::Task<> stop() override {
    co_await server_.stop(async::Deadline(timers_.now() + kServerStopMax));
  }

 private:
  async::Timers& timers_;
  Endpoint endpoint_;
  http::Server server_;
};

/// What the commands of one process run in: a loop, a client that may call anything, signals.
class CommandEnvironment {
 public:
  CommandEnvironment()
      : timers_(loop_.get_executor()),
        resolver_(loop_.get_executor()),
        client_(loop_.get_executor(), resolver_, http::EgressGuard::allow_all()),
        signals_(loop_),
        scope_(loop_.get_executor()) {}

  /// Commands that never ran the loop leave the client's own tasks unstarted.
  ~CommandEnvironment() { loop_.stop(); }
  CommandEnvironment(const CommandEnvironment&) = delete;
  CommandEnvironment& operator=(const CommandEnvironment&) = delete;

  cli::Environment environment() {
    return {.http = client_,
            .timers = timers_,
            .clock = clock_,
            .drive = [this](async::Task<int> task) { return drive(std::move(task)); },
            .stop_asked = [this] { return stop_asked(); },
            .listen = [this](const std::string& address,
                             model::HttpHandler& handler) { return listen(address, handler); },
            .serve = serve_command,
            .restore = restore_command,
            .check_config = check_config_command,
            .variable = variable,
            .read_standard_input = read_standard_input,
            .out = [](std::string_view text) { write_all(stdout, text); },
            .err = [](std::string_view text) { write_all(stderr, text); },
            .out_is_terminal = ::isatty(STDOUT_FILENO) != 0,
            .in_is_terminal = ::isatty(STDIN_FILENO) != 0};
  }

 private:
  int drive(async::Task<int> task) {
    int code = EXIT_FAILURE;
    scope_.spawn(finish(std::move(task), code));
    loop_.restart();
    loop_.run();
    return code;
  }
  async::Task<> finish(async::Task<int> task, int& code) {
    code = co_await std::move(task);
    co_await client_.stop();
    loop_.stop();
  }
  async::Task<> stop_asked() {
    signals_.add(SIGINT);
    signals_.add(SIGTERM);
    boost::system::error_code ignored;
    co_await signals_.async_wait(boost::asio::redirect_error(async::use_task, ignored));
  }
  Result<std::unique_ptr<cli::Listener>> listen(const std::string& address,
                                                model::HttpHandler& handler) {
    auto endpoint = parse_endpoint(address);
    if (!endpoint) return std::unexpected(endpoint.error());
    auto listener =
        std::make_unique<CommandListener>(loop_.get_executor(), timers_, *endpoint, handler);
    if (auto started = listener->start(); !started) return std::unexpected(started.error());
    return listener;
  }

  SystemClock clock_;
  async::Loop loop_{1};
  async::SystemTimers timers_;
  http::Resolver resolver_;
  http::Client client_;
  boost::asio::basic_signal_set<async::Executor> signals_;
  async::Scope scope_;
};

}  // namespace

int run_command_line(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CommandEnvironment commands;
  auto environment = commands.environment();
  return cli::run(argc, argv, environment);
}

}  // namespace grapnel::app
