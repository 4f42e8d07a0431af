#include "surface/cli/completion.h"

#include <fmt/format.h>

#include <algorithm>

namespace grapnel::cli {
namespace {

/// Every command with its path ("keys create"; "" for the program), parents first.
struct Placed {
  std::string path;
  const CompletionTree* tree;
};

void gather(const CompletionTree& tree, const std::string& path, std::vector<Placed>& out) {
  out.push_back({path, &tree});
  for (const auto& command : tree.commands) {
    gather(command, path.empty() ? command.name : path + " " + command.name, out);
  }
}

std::vector<Placed> all_commands(const CompletionTree& tree) {
  std::vector<Placed> out;
  gather(tree, "", out);
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

std::vector<std::string> command_names(const CompletionTree& tree) {
  std::vector<std::string> out;
  out.reserve(tree.commands.size() + tree.words.size());
  for (const auto& command : tree.commands) out.push_back(command.name);
  out.insert(out.end(), tree.words.begin(), tree.words.end());
  return out;
}

/// The tree's own options and the program's, which every command takes.
std::vector<CompletionOption> options_of(const CompletionTree& root, const CompletionTree& tree) {
  std::vector<CompletionOption> out = tree.options;
  if (&root != &tree) {
    for (const auto& option : root.options) {
      const bool known = std::ranges::any_of(out, [&](const CompletionOption& other) {
        return other.names.back() == option.names.back();
      });
      if (!known) out.push_back(option);
    }
  }
  return out;
}

std::string escaped(std::string_view text, std::string_view quote) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += quote;
    } else {
      out += c;
    }
  }
  return out;
}

/// Cases of one `case "$path $previous"` for options that take known values or files.
std::string bash_values(const CompletionTree& root, const Placed& placed) {
  std::string out;
  for (const auto& option : options_of(root, *placed.tree)) {
    if (!option.takes_value) continue;
    std::string patterns;
    for (const auto& name : option.names) {
      if (!patterns.empty()) patterns += "|";
      patterns += fmt::format("\"{} {}\"", placed.path, name);
    }
    const std::string reply =
        option.takes_file
            ? "COMPREPLY=($(compgen -f -- \"$current\"))"
            : fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$current\"))", joined(option.values));
    out += fmt::format("    {}) {}; return ;;\n", patterns, reply);
  }
  return out;
}

std::string bash_script(const CompletionTree& tree) {
  std::string values;
  std::string paths;
  std::string words;
  for (const auto& placed : all_commands(tree)) {
    values += bash_values(tree, placed);
    std::vector<std::string> names = command_names(*placed.tree);
    for (const auto& command : placed.tree->commands) {
      paths += fmt::format("      \"{} {}\") path=\"{}\" ;;\n", placed.path, command.name,
                           placed.path.empty() ? command.name : placed.path + " " + command.name);
    }
    for (const auto& option : options_of(tree, *placed.tree)) {
      names.insert(names.end(), option.names.begin(), option.names.end());
    }
    words += fmt::format("    \"{}\") words='{}' ;;\n", placed.path, joined(names));
  }
  return fmt::format(R"(# bash completion of {0}: source <({0} completion bash)
_{0}() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}"
  local path="" words="" word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$path $word" in
{1}    esac
  done
  case "$path $previous" in
{2}  esac
  case "$path" in
{3}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _{0} {0}
)",
                     tree.name, paths, values, words);
}

std::string zsh_words(const CompletionTree& root, const CompletionTree& tree) {
  std::string out;
  const auto add = [&out](std::string_view name, std::string_view description) {
    std::string word(name);
    std::ranges::replace(word, ':', ' ');
    out += fmt::format(" '{}:{}'", escaped(word, "'\\''"), escaped(description, "'\\''"));
  };
  for (const auto& command : tree.commands) add(command.name, command.description);
  for (const auto& word : tree.words) add(word, "");
  for (const auto& option : options_of(root, tree)) add(option.names.back(), option.description);
  return out;
}

std::string zsh_script(const CompletionTree& tree) {
  std::string paths;
  std::string values;
  std::string words;
  for (const auto& placed : all_commands(tree)) {
    for (const auto& command : placed.tree->commands) {
      paths += fmt::format("      \"{} {}\") place=\"{}\" ;;\n", placed.path, command.name,
                           placed.path.empty() ? command.name : placed.path + " " + command.name);
    }
    for (const auto& option : options_of(tree, *placed.tree)) {
      if (!option.takes_value) continue;
      std::string patterns;
      for (const auto& name : option.names) {
        if (!patterns.empty()) patterns += "|";
        patterns += fmt::format("\"{} {}\"", placed.path, name);
      }
      values += fmt::format(
          "    {}) {}; return ;;\n", patterns,
          option.takes_file ? "_files" : fmt::format("compadd -- {}", joined(option.values)));
    }
    words += fmt::format("    \"{}\") items=({}) ;;\n", placed.path, zsh_words(tree, *placed.tree));
  }
  return fmt::format(R"(#compdef {0}
# zsh completion of {0}: source <({0} completion zsh)
_{0}() {{
  local place="" word
  local -a items
  for word in "${{words[@]:1:CURRENT-2}}"; do
    case "$place $word" in
{1}    esac
  done
  case "$place ${{words[CURRENT-1]}}" in
{2}  esac
  case "$place" in
{3}  esac
  _describe '{0}' items
}}
compdef _{0} {0}
)",
                     tree.name, paths, values, words);
}

std::string fish_condition(const std::string& path) {
  if (path.empty()) return "__fish_use_subcommand";
  std::string out;
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    if (!out.empty()) out += "; and ";
    out += fmt::format("__fish_seen_subcommand_from {}", word);
  }
  return out;
}

std::string fish_option(const std::string& program, const std::string& condition,
                        const CompletionOption& option) {
  std::string out = fmt::format("complete -c {}", program);
  if (!condition.empty()) out += fmt::format(" -n '{}'", condition);
  for (const auto& name : option.names) {
    out += name.starts_with("--") ? fmt::format(" -l {}", name.substr(2))
                                  : fmt::format(" -s {}", name.substr(1));
  }
  if (option.takes_value) out += option.takes_file ? " -r -F" : " -x";
  if (!option.values.empty()) out += fmt::format(" -a '{}'", joined(option.values));
  return out + fmt::format(" -d '{}'\n", escaped(option.description, "\\'"));
}

std::string fish_script(const CompletionTree& tree) {
  std::string out = fmt::format(
      "# fish completion of {0}: {0} completion fish | source\ncomplete -c {0} -f\n", tree.name);
  for (const auto& placed : all_commands(tree)) {
    std::string condition = fish_condition(placed.path);
    const std::vector<std::string> names = command_names(*placed.tree);
    if (!placed.path.empty() && !names.empty()) {
      condition += fmt::format("; and not __fish_seen_subcommand_from {}", joined(names));
    }
    for (const auto& command : placed.tree->commands) {
      out += fmt::format("complete -c {} -n '{}' -a {} -d '{}'\n", tree.name, condition,
                         command.name, escaped(command.description, "\\'"));
    }
    if (!placed.tree->words.empty()) {
      out += fmt::format("complete -c {} -n '{}' -a '{}'\n", tree.name, condition,
                         joined(placed.tree->words));
    }
    const std::string of_options = placed.path.empty() ? "" : fish_condition(placed.path);
    for (const auto& option : placed.tree->options) {
      out += fish_option(tree.name, of_options, option);
    }
  }
  return out;
}

}  // namespace

std::string completion_script(const CompletionTree& tree, Shell shell) {
  switch (shell) {
    case Shell::bash: return bash_script(tree);
    case Shell::zsh: return zsh_script(tree);
    case Shell::fish: return fish_script(tree);
  }
  return "";
}

}  // namespace grapnel::cli
