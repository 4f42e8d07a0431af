// Looks for scalars in a JSON text that comes in pieces, and keeps nothing else of it: the memory
// it takes does not grow with the text. Slower than read_values(); for texts that are large, and
// for small ones where the digits of a number matter (beyond 64 bits, fractions, -0).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace grapnel::pipeline {

/// Pointers (RFC 6901) into a body, and the scalar found at each as text: strings as they are,
/// numbers and booleans as JSON writes them. Left out are those with nothing there, with null, an
/// object, an array, or a value above kPointerValueBytesMax.
using BodyValues = std::vector<std::pair<std::string, std::string>>;

/// One text; not thread-safe.
class JsonScan {
 public:
  explicit JsonScan(std::span<const std::string> pointers);
  ~JsonScan();
  JsonScan(const JsonScan&) = delete;
  JsonScan& operator=(const JsonScan&) = delete;

  void add(std::string_view piece);
  /// What the text holds, after its last piece; nothing where it is no JSON (RFC 8259), or nested
  /// kJsonDepthMax deep (an empty innermost object or array left out) or deeper. A scalar alone is
  /// JSON without values. Of a name that an object repeats the first counts. An exponent beyond 32
  /// bits is no number here, other than RFC 8259 has it.
  std::optional<BodyValues> finish();

 private:
  class Finder;
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace grapnel::pipeline
