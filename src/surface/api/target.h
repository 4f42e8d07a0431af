// A request's target taken apart: path segments and query parameters, percent-decoded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace grapnel::api {

/// Query parameters by name; each at most once.
class Query {
 public:
  /// "a=1&b=x%20y", '+' is a space. Errors: malformed (bad escapes, a name given twice, too many).
  static Result<Query> parse(std::string_view text);

  /// Nothing when it was not given. Valid as long as the query.
  std::optional<std::string_view> find(std::string_view name) const;
  /// The first name that is not in the space-separated list.
  std::optional<std::string_view> first_not_in(std::string_view names) const;
  /// The same query with one parameter set anew, encoded.
  std::string with(std::string_view name, std::string_view value) const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

/// The path and the text after '?', still encoded, of origin-form and absolute-form targets (RFC
/// 9112 section 3.2). Views into `target`; the path is "" for any other form.
struct TargetParts {
  std::string_view path;
  std::string_view query;
};
TargetParts split_target(std::string_view target);

/// "%2F" is '/'. Nothing for a broken escape or a control character.
std::optional<std::string> percent_decode(std::string_view text);
/// Everything but unreserved characters (RFC 3986 section 2.3) encoded.
std::string percent_encode(std::string_view text);

}  // namespace grapnel::api
