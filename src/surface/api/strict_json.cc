#include "surface/api/strict_json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <fmt/format.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "model/errors.h"
#include "model/limits.h"
#include "model/texts.h"
#include "surface/api/limits.h"

namespace grapnel::api {
namespace {

namespace json = boost::json;
using json::error_code;
using json::string_view;

/// Builds the value and remembers the names of each open object.
class StrictHandler {
 public:
  // Names that basic_parser asks for; the document's own bound is smaller than any of them.
  // NOLINTBEGIN(readability-identifier-naming)
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);
  // NOLINTEND(readability-identifier-naming)

  StrictHandler() { stack_.reset(); }
  json::value release() { return stack_.release(); }
  const std::string& duplicate() const { return duplicate_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    names_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t count, error_code&) {
    names_.pop_back();
    stack_.push_object(count);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t count, error_code&) {
    stack_.push_array(count);
    return true;
  }
  bool on_key_part(string_view part, std::size_t, error_code&) {
    key_.append(part);
    stack_.push_chars(part);
    return true;
  }
  bool on_key(string_view part, std::size_t, error_code& error) {
    key_.append(part);
    stack_.push_key(part);
    const bool fresh = names_.back().insert(key_).second;
    if (!fresh) {
      duplicate_ = key_;
      error = json::error::syntax;
    }
    key_.clear();
    return fresh;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(string_view part, std::size_t, error_code&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, string_view, error_code&) {
    stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, string_view, error_code&) {
    stack_.push_uint64(number);
    return true;
  }
  bool on_double(double number, string_view, error_code& error) {
    // Infinity has no text in JSON: the document could never be written again.
    if (!std::isfinite(number)) {
      error = json::error::exponent_overflow;
      return false;
    }
    stack_.push_double(number);
    return true;
  }
  bool on_bool(bool value, error_code&) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  json::value_stack stack_;
  std::vector<std::set<std::string>> names_;
  std::string key_;
  std::string duplicate_;
};

}  // namespace

Result<json::value> parse_strict_json(std::string_view text) {
  if (text.size() > kJsonBytesMax) {
    return fail(model::errc::malformed,
                fmt::format("the document is above {} bytes", kJsonBytesMax));
  }
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::basic_parser<StrictHandler> parser(options);
  error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (!parser.handler().duplicate().empty()) {
    return fail(model::errc::malformed,
                fmt::format("field '{}' is given twice",
                            valid_utf8(std::string_view(parser.handler().duplicate())
                                           .substr(0, model::kEchoBytesMax))));
  }
  if (!error && read < text.size()) error = json::error::extra_data;
  if (error == json::error::too_deep) {
    return fail(model::errc::malformed,
                fmt::format("the document is nested deeper than {} levels", kJsonDepthMax));
  }
  if (error) {
    return fail(model::errc::malformed,
                fmt::format("the body is not JSON: {} near byte {}", error.message(), read));
  }
  return parser.handler().release();
}

}  // namespace grapnel::api
