// What the strict reader takes, a lenient one takes in the same meaning, within our bounds; it is
// never taken with a name more or less.
#include "surface/api/strict_json.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "model/errors.h"
#include "surface/api/limits.h"

using namespace grapnel;

namespace {

std::size_t depth_of(const boost::json::value& value) {
  std::size_t inner = 0;
  if (const auto* object = value.if_object()) {
    for (const auto& field : *object) inner = std::max(inner, depth_of(field.value()));
  } else if (const auto* array = value.if_array()) {
    for (const auto& item : *array) inner = std::max(inner, depth_of(item));
  } else {
    return 0;
  }
  return inner + 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto strict = api::parse_strict_json(text);
  if (!strict) {
    GRAPNEL_CHECK(strict.error().code == model::errc::malformed, strict.error().message());
    return 0;
  }
  GRAPNEL_CHECK(depth_of(*strict) <= api::kJsonDepthMax);
  boost::system::error_code failed;
  const auto lenient = boost::json::parse(text, failed);
  GRAPNEL_CHECK(!failed && lenient == *strict);
  const auto again = api::parse_strict_json(boost::json::serialize(*strict));
  GRAPNEL_CHECK(again.has_value());
  return 0;
}
