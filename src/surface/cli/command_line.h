// The command line, taken apart: which command, and what it was told. Nothing is done here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "surface/cli/completion.h"
#include "surface/cli/environment.h"
#include "surface/cli/limits.h"
#include "surface/cli/output.h"

namespace grapnel::cli {

struct GlobalOptions {
  std::optional<std::string> server;  ///< else GRAPNEL_SERVER, else http://127.0.0.1:8080
  std::optional<std::string> key;     ///< seen by every user of the machine; GRAPNEL_API_KEY is not
  std::optional<std::string> key_file;  ///< else DATA_DIR/admin.key where it can be read
  std::optional<std::string> ca_file;
  Format format = Format::table;
};

struct ApplyOptions {
  std::vector<std::string> files;  ///< "-": standard input
  bool dry_run = false;
  bool prune = false;
  bool force = false;
  bool rotate_secrets = false;
};

/// What lists and descriptions are about.
enum class Kind : std::uint8_t { source, action, event, delivery, dead_letter, key, replay };

struct GetOptions {
  Kind kind = Kind::source;
  std::optional<std::string> name;
  std::optional<std::string> source;
  std::optional<std::string> action;
  std::optional<std::string> event;
  std::optional<std::string> state;
  std::optional<std::string> type;
  std::optional<std::string> reason;
  std::optional<std::string> from;  ///< RFC 3339, or a duration: so long ago
  std::optional<std::string> to;
  int limit = kRowsDefault;
  bool all = false;
};

struct DescribeOptions {
  Kind kind = Kind::delivery;
  std::string id;
};

struct SendOptions {
  std::string source;
  std::optional<std::string> file;  ///< "-": standard input
  std::optional<std::string> data;
  std::vector<std::string> headers;  ///< "Name: value"
  std::optional<std::string> type;
};

struct VerifyOptions {
  std::optional<std::string> file;      ///< a captured request; "-": standard input
  std::optional<std::string> source;    ///< its secrets, on the server
  std::optional<std::string> provider;  ///< or this provider, here
  std::optional<std::string> secret_env;
  std::optional<std::string> secret_file;  ///< "-": standard input
  std::optional<std::string> event;
  std::optional<std::string> quarantined;
  std::vector<std::string> headers;  ///< "Name: value"
  std::optional<std::string> body_file;
  std::optional<std::string> url;
  std::optional<std::string> at;  ///< RFC 3339, or a duration: so long ago
};

struct ReplayOptions {
  enum class What : std::uint8_t { delivery, event, dead_letters };
  What what = What::delivery;
  std::string id;
  std::optional<std::string> source;
  std::optional<std::string> action;
  std::optional<std::string> reason;
  std::optional<std::string> from;
  std::optional<std::string> to;
  std::optional<double> rate;
  bool wait = false;
};

/// One call for one thing.
struct ChangeOptions {
  enum class What : std::uint8_t { cancel, retry, skip, enable };
  What what = What::cancel;
  std::string id;
};

struct RotateOptions {
  std::string action;  ///< SOURCE/ACTION
  std::optional<std::string> secret_file;
  std::optional<std::string> overlap;
};

struct EchoOptions {
  std::string listen = "127.0.0.1:0";
  std::vector<std::string> secrets;  ///< whsec_…, whpk_…, any text, or @FILE
  int status = 200;
  bool print_body = false;
};

struct KeyOptions {
  enum class What : std::uint8_t { list, create, remove };
  What what = What::list;
  std::string name;  ///< of create; the id of remove
  std::string scope = "read";
  std::vector<std::string> sources;
  std::optional<std::string> expires;  ///< RFC 3339, or a duration from now
};

struct BackupOptions {
  std::string folder;
};

struct ConfigCheckOptions {
  std::optional<std::string> file;
};

struct StatusOptions {};

struct VersionOptions {};

struct CompletionOptions {
  Shell shell = Shell::bash;
  CompletionTree tree;
};

using Command = std::variant<ServeOptions, ApplyOptions, GetOptions, DescribeOptions, SendOptions,
                             VerifyOptions, ReplayOptions, ChangeOptions, RotateOptions,
                             EchoOptions, KeyOptions, BackupOptions, RestoreOptions,
                             ConfigCheckOptions, StatusOptions, VersionOptions, CompletionOptions>;

struct CommandLine {
  GlobalOptions global;
  Command command;
};

/// What --help prints.
struct Help {
  std::string text;
};

/// `arguments` without the program's name. Error: usage, one line.
Result<std::variant<CommandLine, Help>> parse_command_line(std::vector<std::string> arguments);

}  // namespace grapnel::cli
