// What a command may touch: everything comes from the app, so that tests run each command without
// a socket, a terminal or a real clock.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.h"
#include "async/timers.h"
#include "base/clock.h"
#include "base/result.h"
#include "model/http.h"

namespace grapnel::cli {

/// `grapnel serve`: what the command line says; the rest is in the file and the environment.
struct ServeOptions {
  std::optional<std::string> config;  ///< path of grapnel.yaml
  std::optional<std::string> data_dir;
  std::optional<std::string> listen;
  std::optional<std::string> metrics_listen;
};

struct RestoreOptions {
  std::string folder;    ///< what `grapnel backup` made
  std::string data_dir;  ///< of the stopped server; empty or absent
};

/// A listener that answers until it is stopped.
class Listener {
 public:
  virtual ~Listener() = default;
  /// "127.0.0.1:41234": with the port that the kernel chose.
  virtual std::string address() const = 0;
  virtual async::Task<> stop() = 0;
};

struct Environment {
  /// For a person's own calls: nothing is refused by the egress guard.
  model::HttpSender& http;
  async::Timers& timers;
  const Clock& clock;
  /// Runs a task to its end on the loop that `http`, `timers` and listeners use.
  std::function<int(async::Task<int>)> drive;
  /// Returns when the person asks to stop (SIGINT, SIGTERM).
  std::function<async::Task<>()> stop_asked;
  /// "ADDRESS:PORT"; the handler outlives the listener.
  std::function<Result<std::unique_ptr<Listener>>(const std::string&, model::HttpHandler&)> listen;

  /// Runs the server until it is asked to stop. Error: malformed, mistakes of its configuration,
  /// one a line; or why it could not start.
  std::function<Result<>(const ServeOptions&)> serve;
  /// Gives the sentence that tells what was restored.
  std::function<Result<std::string>(const RestoreOptions&)> restore;
  /// Checks a grapnel.yaml with the environment; gives the settings in force as text.
  /// Error: malformed, one line a mistake.
  std::function<Result<std::string>(const std::optional<std::string>& path)> check_config;

  std::function<std::optional<std::string>(const std::string&)> variable;
  std::function<Result<std::string>()> read_standard_input;
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> err;
  bool out_is_terminal = false;
  bool in_is_terminal = false;
};

}  // namespace grapnel::cli
