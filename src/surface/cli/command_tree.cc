#include "surface/cli/command_tree.h"

#include <CLI/CLI.hpp>

#include <limits>
#include <map>

#include "surface/cli/limits.h"

namespace grapnel::cli {
namespace {

using Chosen = std::optional<Command>;

const std::map<std::string, Kind>& kind_words() {
  static const std::map<std::string, Kind> words{{"source", Kind::source},
                                                 {"sources", Kind::source},
                                                 {"action", Kind::action},
                                                 {"actions", Kind::action},
                                                 {"event", Kind::event},
                                                 {"events", Kind::event},
                                                 {"delivery", Kind::delivery},
                                                 {"deliveries", Kind::delivery},
                                                 {"dead-letter", Kind::dead_letter},
                                                 {"dead-letters", Kind::dead_letter},
                                                 {"key", Kind::key},
                                                 {"keys", Kind::key},
                                                 {"replay", Kind::replay},
                                                 {"replays", Kind::replay}};
  return words;
}

CLI::App& add(CLI::App& app, const std::string& name, const std::string& help) {
  CLI::App& command = *app.add_subcommand(name, help);
  command.fallthrough();
  command.footer("Options of every command (--server, --key-file, -o …): see grapnel --help");
  return command;
}

/// One value each time the option is given.
CLI::Option& add_repeated(CLI::App& app, const std::string& name, std::vector<std::string>& to,
                          const std::string& help) {
  return *app.add_option(name, to, help)->expected(1)->allow_extra_args(false)->take_all();
}

template <class Options>
void choose(CLI::App& command, Options& options, Chosen& chosen) {
  command.callback([&options, &chosen] { chosen = options; });
}

void add_serve(CLI::App& app, ServeOptions& options, Chosen& chosen) {
  CLI::App& command = add(app, "serve", "Run the server");
  command.add_option("--config", options.config, "Settings (./grapnel.yaml if it exists)")
      ->type_name("FILE");
  command.add_option("--data-dir", options.data_dir, "Where everything is kept (./grapnel-data)")
      ->type_name("FOLDER");
  command.add_option("--listen", options.listen, "Ingest and API (0.0.0.0:8080)")
      ->type_name("ADDRESS");
  command
      .add_option("--metrics-listen", options.metrics_listen,
                  "Metrics and health, or off (0.0.0.0:9090)")
      ->type_name("ADDRESS");
  choose(command, options, chosen);
}

void add_apply(CLI::App& app, ApplyOptions& options, Chosen& chosen) {
  CLI::App& command = add(app, "apply", "Make sources and actions as a YAML file says");
  add_repeated(command, "-f,--file", options.files, "File, - for standard input; may be repeated")
      .required()
      ->type_name("FILE");
  command.add_flag("--dry-run", options.dry_run, "Show what would change, change nothing");
  command.add_flag("--prune", options.prune,
                   "Delete what apply made before and the files no longer list");
  command.add_flag("--force", options.force,
                   "Take over what apply did not make; prune what has open work");
  command.add_flag("--rotate-secrets", options.rotate_secrets,
                   "Send secrets of actions that exist, too (they cannot be compared)");
  choose(command, options, chosen);
}

void add_range(CLI::App& command, std::optional<std::string>& from,
               std::optional<std::string>& to) {
  command.add_option("--from", from, "From a time (RFC 3339), or from so long ago (1h)")
      ->type_name("TIME");
  command.add_option("--to", to, "Before a time, or so long ago")->type_name("TIME");
}

void add_get(CLI::App& app, GetOptions& options, Chosen& chosen) {
  CLI::App& command =
      add(app, "get", "List sources, actions, events, deliveries, dead-letters, keys or replays");
  command.add_option("KIND", options.kind, "What: sources, actions, events, deliveries, …")
      ->required()
      ->transform(one_of(kind_words()))
      ->type_name("");
  command.add_option("NAME", options.name, "Only this one: a slug, an id or SOURCE/ACTION")
      ->type_name("");
  command.add_option("--source", options.source, "Of this source")->type_name("SLUG");
  command.add_option("--action", options.action, "Of this action (name or id)")->type_name("NAME");
  command.add_option("--event", options.event, "Deliveries of this event")->type_name("ID");
  command
      .add_option("--state", options.state,
                  "Deliveries in these states (dead,retrying); events whose fan-out is so")
      ->type_name("STATES");
  command.add_option("--type", options.type, "Events of this type")->type_name("TYPE");
  command.add_option("--reason", options.reason, "Dead letters that died of this")
      ->type_name("REASON");
  add_range(command, options.from, options.to);
  command.add_option("--limit", options.limit, "At most so many rows")
      ->check(CLI::Range(1, kRowsMax).description(""))
      ->type_name("N");
  command.add_flag("--all", options.all, "All of them, page after page");
  choose(command, options, chosen);
}

void add_describe(CLI::App& app, DescribeOptions& options, Chosen& chosen) {
  CLI::App& command =
      add(app, "describe", "Everything about one delivery, event, source or action");
  const std::map<std::string, Kind> kinds{{"source", Kind::source},
                                          {"action", Kind::action},
                                          {"event", Kind::event},
                                          {"delivery", Kind::delivery}};
  command.add_option("KIND", options.kind, "delivery, event, source or action")
      ->required()
      ->transform(one_of(kinds))
      ->type_name("");
  command.add_option("ID", options.id, "Its id; a source's slug; SOURCE/ACTION")
      ->required()
      ->type_name("");
  choose(command, options, chosen);
}

void add_send(CLI::App& app, SendOptions& options, Chosen& chosen) {
  CLI::App& command = add(app, "send", "Post an event to a source, as a sender would");
  command.add_option("SOURCE", options.source, "The source's slug")->required()->type_name("");
  command.add_option("-f,--file", options.file, "Body: a file, or - for standard input")
      ->type_name("FILE");
  command.add_option("-d,--data", options.data, "Body: this text")
      ->type_name("TEXT")
      ->excludes("--file");
  add_repeated(command, "-H,--header", options.headers, "Header 'Name: value'; may be repeated")
      .type_name("HEADER");
  command.add_option("--type", options.type, "Event type (header ce-type)")->type_name("TYPE");
  choose(command, options, chosen);
}

void add_verify(CLI::App& app, VerifyOptions& options, Chosen& chosen) {
  CLI::App& command = add(app, "verify", "Why a captured request verifies, or does not");
  command
      .add_option("FILE", options.file,
                  "The request: headers, an empty line, the body; - for standard input")
      ->type_name("");
  auto* source = command.add_option("--source", options.source, "Ask the server about this source")
                     ->type_name("SLUG");
  command.add_option("--event", options.event, "A stored event of the source")
      ->needs(source)
      ->type_name("ID");
  command.add_option("--quarantined", options.quarantined, "A refused request of the source")
      ->needs(source)
      ->type_name("ID");
  command.add_option("--provider", options.provider, "Or judge here, as this provider signs")
      ->excludes(source)
      ->type_name("NAME");
  command.add_option("--secret-env", options.secret_env, "The variable that has the secret")
      ->excludes(source)
      ->type_name("NAME");
  command
      .add_option("--secret-file", options.secret_file, "The file that has it; - standard input")
      ->excludes(source)
      ->type_name("FILE");
  add_repeated(command, "-H,--header", options.headers, "Header 'Name: value'; may be repeated")
      .type_name("HEADER");
  command.add_option("--body-file", options.body_file, "Body, byte for byte")->type_name("FILE");
  command.add_option("--url", options.url, "The URL that the sender was given")->type_name("URL");
  command.add_option("--at", options.at, "When it came: a time, or so long ago (now)")
      ->type_name("TIME");
  choose(command, options, chosen);
}

void add_replay(CLI::App& app, ReplayOptions& options, Chosen& chosen) {
  CLI::App& command =
      add(app, "replay", "Deliver again: one delivery, one event, or all dead letters that match");
  const std::map<std::string, ReplayOptions::What> kinds{
      {"delivery", ReplayOptions::What::delivery},
      {"event", ReplayOptions::What::event},
      {"dead-letters", ReplayOptions::What::dead_letters}};
  command.add_option("WHAT", options.what, "delivery, event or dead-letters")
      ->required()
      ->transform(one_of(kinds))
      ->type_name("");
  command.add_option("ID", options.id, "Of the delivery or event")->type_name("");
  command.add_option("--source", options.source, "Dead letters of this source")->type_name("SLUG");
  command.add_option("--action", options.action, "Dead letters of this action")->type_name("NAME");
  command.add_option("--reason", options.reason, "Dead letters that died of this")
      ->type_name("REASON");
  add_range(command, options.from, options.to);
  command.add_option("--rate", options.rate, "At most so many a second")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("N");
  command.add_flag("--wait", options.wait, "Wait until the replay is done, showing how far it is");
  choose(command, options, chosen);
}

void add_change(CLI::App& app, const std::string& name, const std::string& help,
                const std::string& id_help, ChangeOptions::What what, ChangeOptions& options,
                Chosen& chosen) {
  CLI::App& command = add(app, name, help);
  command.add_option("ID", options.id, id_help)->required()->type_name("");
  command.callback([what, &options, &chosen] {
    options.what = what;
    chosen = options;
  });
}

void add_rotate(CLI::App& app, RotateOptions& options, Chosen& chosen) {
  CLI::App& command = add(app, "rotate-secret",
                          "Give an action a new signing secret; the old one signs on for a while");
  command.add_option("ACTION", options.action, "SOURCE/ACTION")->required()->type_name("");
  command
      .add_option("--secret-file", options.secret_file, "The new secret (one is made otherwise)")
      ->type_name("FILE");
  command.add_option("--overlap", options.overlap, "How long the old one signs on (1d)")
      ->type_name("DURATION");
  choose(command, options, chosen);
}

void add_echo(CLI::App& app, EchoOptions& options, Chosen& chosen) {
  CLI::App& command = add(app, "echo", "Receive deliveries, verify them, print one line each");
  command.add_option("--listen", options.listen, "Where (127.0.0.1 and a free port)")
      ->type_name("ADDRESS");
  add_repeated(command, "--secret", options.secrets,
               "Signing secret to verify with, or @FILE; may be repeated")
      .type_name("SECRET");
  command.add_option("--status", options.status, "Status to answer with (200)")
      ->check(CLI::Range(200, 599).description(""))
      ->type_name("N");
  command.add_flag("--print-body", options.print_body, "Print bodies, too");
  choose(command, options, chosen);
}

void add_keys(CLI::App& app, KeyOptions& options, Chosen& chosen) {
  CLI::App& command = add(app, "keys", "API keys");
  command.require_subcommand(1);
  const auto choose_what = [&options, &chosen](CLI::App& sub, KeyOptions::What what) {
    sub.callback([what, &options, &chosen] {
      options.what = what;
      chosen = options;
    });
  };
  choose_what(add(command, "list", "List them; the keys themselves are never shown again"),
              KeyOptions::What::list);
  CLI::App& create = add(command, "create", "Make one; it is printed once, on standard output");
  create.add_option("NAME", options.name, "What it is for")->required()->type_name("");
  create.add_option("--scope", options.scope, "ingest, read, write or admin (read)")
      ->check(CLI::IsMember({"ingest", "read", "write", "admin"}).description(""))
      ->type_name("SCOPE");
  add_repeated(create, "--source", options.sources, "Only for this source; may be repeated")
      .type_name("SLUG");
  create.add_option("--expires", options.expires, "When it ends: a time, or from now (90d)")
      ->type_name("TIME");
  choose_what(create, KeyOptions::What::create);
  CLI::App& remove = add(command, "delete", "Take one back, at once");
  remove.add_option("ID", options.name, "Its id (key_…)")->required()->type_name("");
  choose_what(remove, KeyOptions::What::remove);
}

void add_files(CLI::App& app, CommandOptions& options, Chosen& chosen) {
  CLI::App& backup = add(app, "backup", "Copy the store while it runs, verified");
  backup.add_option("FOLDER", options.backup.folder, "New folder on the server's machine")
      ->required()
      ->type_name("FOLDER");
  choose(backup, options.backup, chosen);
  CLI::App& restore = add(app, "restore", "Make a data directory from a backup (server stopped)");
  restore.add_option("FOLDER", options.restore.folder, "What backup made")
      ->required()
      ->type_name("FOLDER");
  restore.add_option("--data-dir", options.restore.data_dir, "The new data directory")
      ->required()
      ->type_name("FOLDER");
  choose(restore, options.restore, chosen);
  CLI::App& config = add(app, "config", "The server's settings");
  config.require_subcommand(1);
  CLI::App& check = add(config, "check", "Check grapnel.yaml and the environment");
  check.add_option("-f,--file", options.config_check.file, "The file (./grapnel.yaml)")
      ->type_name("FILE");
  choose(check, options.config_check, chosen);
}

void add_about(CLI::App& app, CompletionOptions& options, Chosen& chosen) {
  add(app, "status", "What the server has to do, and whether its store works").callback([&chosen] {
    chosen = StatusOptions{};
  });
  add(app, "version", "Print the version").callback([&chosen] { chosen = VersionOptions{}; });
  CLI::App& completion = add(app, "completion", "Print a completion script");
  const std::map<std::string, Shell> shells{
      {"bash", Shell::bash}, {"zsh", Shell::zsh}, {"fish", Shell::fish}};
  completion.add_option("SHELL", options.shell, "bash, zsh or fish")
      ->required()
      ->transform(one_of(shells))
      ->type_name("");
  choose(completion, options, chosen);
}

}  // namespace

void add_commands(CLI::App& app, CommandOptions& options, std::optional<Command>& chosen) {
  using What = ChangeOptions::What;
  add_serve(app, options.serve, chosen);
  add_apply(app, options.apply, chosen);
  add_get(app, options.get, chosen);
  add_describe(app, options.describe, chosen);
  add_send(app, options.send, chosen);
  add_verify(app, options.verify, chosen);
  add_echo(app, options.echo, chosen);
  add_replay(app, options.replay, chosen);
  add_change(app, "cancel", "End a delivery that is open, or a bulk replay that runs",
             "dlv_… or job_…", What::cancel, options.change, chosen);
  add_change(app, "retry", "Make a delivery's next attempt due now", "dlv_…", What::retry,
             options.change, chosen);
  add_change(app, "skip", "Let an ordering key go on past a dead delivery that blocks it", "dlv_…",
             What::skip, options.change, chosen);
  add_change(app, "enable", "Clear an action's health, so that it is tried again", "SOURCE/ACTION",
             What::enable, options.change, chosen);
  add_rotate(app, options.rotate, chosen);
  add_keys(app, options.key, chosen);
  add_files(app, options, chosen);
  add_about(app, options.completion, chosen);
}

std::vector<std::string> positional_words(const std::string& command, const std::string& name) {
  if (command == "get" && name == "KIND") {
    return {"sources", "actions", "events", "deliveries", "dead-letters", "keys", "replays"};
  }
  if (command == "describe" && name == "KIND") return {"delivery", "event", "source", "action"};
  if (command == "replay" && name == "WHAT") return {"delivery", "event", "dead-letters"};
  if (command == "completion") return {"bash", "zsh", "fish"};
  return {};
}

}  // namespace grapnel::cli
