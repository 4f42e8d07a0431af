#include "surface/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/version.h"
#include "surface/cli/command_tree.h"
#include "surface/cli/errors.h"

namespace grapnel::cli {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 done, 1 refused or failed, 2 wrong usage or a wrong file,\n"
    "3 the server is not reachable, 4 not found, 5 no key or one that may not do this.\n"
    "Environment: GRAPNEL_SERVER, GRAPNEL_API_KEY, GRAPNEL_DATA_DIR, NO_COLOR.";

void add_globals(CLI::App& app, GlobalOptions& global) {
  app.add_option("--server", global.server,
                 "The server's URL (GRAPNEL_SERVER; http://127.0.0.1:8080)")
      ->type_name("URL");
  app.add_option("--key", global.key,
                 "API key; other users of this machine can see it, so prefer GRAPNEL_API_KEY or "
                 "--key-file")
      ->type_name("KEY");
  app.add_option("--key-file", global.key_file,
                 "File that holds the API key (DATA_DIR/admin.key where it can be read)")
      ->type_name("FILE");
  app.add_option("--ca-file", global.ca_file, "Certificates to trust for https, in PEM")
      ->type_name("FILE");
  const std::map<std::string, Format> formats{{"table", Format::table},
                                              {"wide", Format::wide},
                                              {"json", Format::json},
                                              {"yaml", Format::yaml}};
  app.add_option("-o,--output", global.format, "How to print: table, wide, json or yaml (table)")
      ->type_name("FORMAT")
      ->transform(one_of(formats));
}

CompletionOption completion_of(const CLI::Option& option) {
  CompletionOption out;
  for (const auto& name : option.get_snames()) out.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) out.names.push_back("--" + name);
  out.description = option.get_description();
  out.takes_value = option.get_items_expected_max() > 0;
  const std::string type = option.get_type_name();
  out.takes_file = type.starts_with("FILE") || type.starts_with("FOLDER");
  if (type.starts_with("FORMAT")) out.values = {"table", "wide", "json", "yaml"};
  return out;
}

CompletionTree completion_of(const CLI::App& app) {
  CompletionTree out;
  out.name = app.get_name();
  out.description = app.get_description();
  for (const auto* option : app.get_options()) {
    if (option->get_positional()) {
      const auto words = positional_words(app.get_name(), option->get_name(true));
      out.words.insert(out.words.end(), words.begin(), words.end());
    } else {
      out.options.push_back(completion_of(*option));
    }
  }
  for (const auto* command : app.get_subcommands(nullptr)) {
    out.commands.push_back(completion_of(*command));
  }
  return out;
}

/// The innermost command that was reached, for "see … --help".
std::string reached(const CLI::App& app) {
  std::string path = app.get_name();
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    path += " " + at->get_name();
  }
  return path;
}

std::unexpected<Error> wrong_usage(const CLI::App& app, const CLI::ParseError& error) {
  const std::string path = reached(app);
  std::string what = error.what();
  std::ranges::replace(what, '\n', ' ');
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  if (error.get_name() == "RequiredError" && what.contains("subcommand")) {
    std::vector<std::string> names;
    for (const auto* command : at->get_subcommands(nullptr)) names.push_back(command->get_name());
    // Words that a command does not know fall through to the program.
    const auto rest = app.remaining(true);
    what = rest.empty() ? "a command is required" : fmt::format("unknown command '{}'", rest[0]);
    what += fmt::format(": {}", fmt::join(names, ", "));
  }
  return fail(errc::usage, fmt::format("{} (see {} --help)", what, path));
}

}  // namespace

Result<std::variant<CommandLine, Help>> parse_command_line(std::vector<std::string> arguments) {
  CLI::App app("Grapnel: every webhook on one durable pipeline", "grapnel");
  app.require_subcommand(1);
  app.footer(kFooter);
  app.set_version_flag("--version");
  app.get_formatter()->column_width(kHelpColumn);
  CommandLine line;
  std::optional<Command> chosen;
  add_globals(app, line.global);
  CommandOptions options;
  add_commands(app, options, chosen);
  std::ranges::reverse(arguments);
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    return Help{app.help()};  // of the command that was reached
  } catch (const CLI::CallForVersion&) {
    return Help{fmt::format("grapnel {}\n", kVersion)};
  } catch (const CLI::ParseError& error) {
    return wrong_usage(app, error);
  }
  line.command = std::move(*chosen);
  if (auto* completion = std::get_if<CompletionOptions>(&line.command)) {
    completion->tree = completion_of(app);
  }
  return line;
}

}  // namespace grapnel::cli
