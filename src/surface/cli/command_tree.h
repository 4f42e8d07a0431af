// Every command with its options and one line of help, as a CLI11 tree.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "surface/cli/command_line.h"

namespace grapnel::cli {

/// What options are read into while the line is parsed.
struct CommandOptions {
  ServeOptions serve;
  ApplyOptions apply;
  GetOptions get;
  DescribeOptions describe;
  SendOptions send;
  VerifyOptions verify;
  ReplayOptions replay;
  ChangeOptions change;
  RotateOptions rotate;
  EchoOptions echo;
  KeyOptions key;
  BackupOptions backup;
  RestoreOptions restore;
  ConfigCheckOptions config_check;
  CompletionOptions completion;
};

/// Reads one of these words; another is refused with all of them.
template <class Enum>
CLI::Validator one_of(const std::map<std::string, Enum>& words) {
  std::vector<std::string> names;
  names.reserve(words.size());
  for (const auto& [name, value] : words) names.push_back(name);
  return CLI::Validator(
      [reader = CLI::CheckedTransformer(words), names](std::string& text) {
        const std::string given = text;
        if (reader(text).empty()) return std::string();
        return fmt::format("expected one of {}, given '{}'", fmt::join(names, ", "), given);
      },
      "", "");
}

/// `options` and `chosen` outlive the app's parsing; `chosen` gets the command that was named.
void add_commands(CLI::App& app, CommandOptions& options, std::optional<Command>& chosen);

/// Fixed words that the positional of a command takes, for completion.
std::vector<std::string> positional_words(const std::string& command, const std::string& name);

}  // namespace grapnel::cli
