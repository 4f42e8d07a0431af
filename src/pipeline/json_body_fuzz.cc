// The first line is a pointer, the rest a body. Read at once or in pieces it is JSON or it is not,
// and holds the same at that pointer, within its bound.
#include "pipeline/json_body.h"

#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "pipeline/limits.h"

using namespace grapnel::pipeline;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto end = std::min(text.find('\n'), text.size());
  const std::vector<std::string> pointers{std::string(text.substr(0, end))};
  const std::string_view body = text.substr(std::min(end + 1, text.size()));
  const BodyValues values = read_values(body, pointers);
  if (!values.empty()) GRAPNEL_CHECK(is_json(body));
  for (const auto& [pointer, value] : values) GRAPNEL_CHECK(value.size() <= kPointerValueBytesMax);

  // An exponent of ten digits: see JsonScan::finish().
  const auto digits = std::ranges::count_if(body, [](char c) { return c >= '0' && c <= '9'; });
  if (digits >= 10 && body.find_first_of("eE") != std::string_view::npos) return 0;
  JsonScan scan(pointers);
  const std::size_t step = 3 + size % 61;
  for (std::size_t at = 0; at < body.size(); at += step) scan.add(body.substr(at, step));
  const auto scanned = scan.finish();
  GRAPNEL_CHECK(scanned.has_value() == is_json(body));
  GRAPNEL_CHECK(scanned.value_or(BodyValues{}) == values);
  return 0;
}
