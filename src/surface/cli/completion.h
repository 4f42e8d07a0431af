// Shell completion: scripts made from the command tree, so that they never lag behind it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace grapnel::cli {

enum class Shell : std::uint8_t { bash, zsh, fish };

struct CompletionOption {
  std::vector<std::string> names;  ///< "-o", "--output"
  std::string description;
  bool takes_value = false;
  bool takes_file = false;
  std::vector<std::string> values;  ///< the only ones there are; empty: any
};

/// A command and those below it; the root is the program.
struct CompletionTree {
  std::string name;
  std::string description;
  std::vector<CompletionOption> options;
  std::vector<std::string> words;  ///< fixed words that may follow ("sources", "actions")
  std::vector<CompletionTree> commands;
};

/// A script for the shell to source: `source <(grapnel completion bash)`.
std::string completion_script(const CompletionTree& tree, Shell shell);

}  // namespace grapnel::cli
