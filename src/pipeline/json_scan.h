// Looks for scalars in a JSON text that comes in pieces, and keeps nothing else of it: the memory
// it takes does not grow with the text. Slower than JsonBody; for texts that are large, or hold
// numbers beyond 64 bits.
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
  /// What the text holds, after its last piece; nothing where it is no JSON (RFC 8259) or nested
  /// deeper than kJsonDepthMax. A scalar alone is JSON without values. Of a name that an object
  /// repeats the first counts.
  std::optional<BodyValues> finish();

 private:
  class Finder;
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace grapnel::pipeline
