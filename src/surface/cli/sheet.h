// A page of labelled values and sections for a terminal: labels of one section end at one column,
// what is empty is left out, and texts of others cannot move the cursor.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "surface/cli/output.h"

namespace grapnel::cli {

/// A handle on a part of the page; the parts share what the first one prints.
class Sheet {
 public:
  /// `output` outlives the sheet.
  explicit Sheet(const Output& output);

  void field(std::string_view label, std::string_view text);
  void painted(std::string_view label, std::string_view word, Tone tone);
  /// A line of its own. Colours in it are kept, so everything in it is printable already or ours.
  void text(std::string_view line);
  /// Several lines of somebody else's.
  void block(std::string_view text);
  /// A part below this one, indented; its place is here.
  Sheet section(std::string_view title);

  /// The whole page; of the first sheet.
  void print() const;

 private:
  struct Part;
  Sheet(const Output& output, std::shared_ptr<Part> part);

  const Output& output_;
  std::shared_ptr<Part> part_;  ///< shared: sections are handles on parts of their parent
};

}  // namespace grapnel::cli
