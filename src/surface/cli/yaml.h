// YAML that people write, as JSON values with the line of every part.
//
// The sane subset: one meaning per text, whatever YAML version a reader has in mind. Plain true,
// false, null, ~ and JSON's numbers mean what they look like; everything else is text (yes, no, on,
// 0x10, 010 and dates included). Duplicate keys, merge keys (<<), explicit tags but !!str, and
// aliases that grow beyond bounds are refused.
#pragma once

#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace grapnel::cli {

/// Where each part of a document stands in its file: a tree of the same shape.
class Lines {
 public:
  explicit Lines(int line = 1) : line_(line) {}

  Lines& add(std::string step, int line);
  int line() const { return line_; }
  /// `path` as in "actions[2].retry.base"; a part that has no line of its own (it came by an alias,
  /// or is missing) has the nearest enclosing one's.
  int of(std::string_view path) const;

 private:
  int line_;
  std::vector<std::pair<std::string, Lines>> parts_;  ///< step: "name" or "[2]"
};

struct YamlDocument {
  boost::json::value value;
  Lines lines;
};

/// All documents of a text; an empty text has none. `file` is for messages only.
/// Error: malformed, "file:line: what is wrong".
Result<std::vector<YamlDocument>> parse_yaml(std::string_view text, std::string_view file);

/// Puts "file:line: " before each line "path: sentence" of `mistakes`. `base` is the path of the
/// value that the mistakes are about ("" for the document).
std::string with_lines(std::string_view mistakes, std::string_view file, const Lines& lines,
                       std::string_view base);

}  // namespace grapnel::cli
