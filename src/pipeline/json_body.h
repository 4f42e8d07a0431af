// Looking into a body that may be JSON, without building a document of our own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace grapnel::pipeline {

/// Parses once, answers several pointers. Not thread-safe; one per call.
class JsonBody {
 public:
  /// `body` outlives the object. A body that does not begin like an object or array is not parsed.
  explicit JsonBody(std::string_view body);
  ~JsonBody();
  JsonBody(const JsonBody&) = delete;
  JsonBody& operator=(const JsonBody&) = delete;

  bool valid() const;
  /// The scalar at a JSON pointer (RFC 6901) as text: strings as they are, numbers and booleans as
  /// JSON writes them, however large. Nothing for null, objects, arrays, values above
  /// kPointerValueBytesMax, or no such place.
  std::optional<std::string> scalar(std::string_view pointer) const;

 private:
  struct Parsed;
  struct Lazy;
  std::unique_ptr<Parsed> parsed_;
  std::unique_ptr<Lazy> lazy_;  ///< instead of parsed_, where a number is beyond 64 bits
};

/// Any JSON text (RFC 8259), scalars included, nested up to kJsonDepthMax.
bool is_json(std::string_view body);

}  // namespace grapnel::pipeline
