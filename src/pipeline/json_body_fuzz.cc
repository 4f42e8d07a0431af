// The first line is a pointer, the rest a body. What has a place in a body is JSON, and every value
// is within its bound.
#include "pipeline/json_body.h"

#include <cstdint>

#include "base/check.h"
#include "pipeline/limits.h"

using namespace grapnel::pipeline;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto end = std::min(text.find('\n'), text.size());
  const std::string_view pointer = text.substr(0, end);
  const std::string_view body = text.substr(std::min(end + 1, text.size()));
  const bool json = is_json(body);
  const JsonBody parsed(body);
  if (parsed.valid()) GRAPNEL_CHECK(json);
  for (int i = 0; i < 2; ++i) {
    const auto value = parsed.scalar(pointer);
    if (value) GRAPNEL_CHECK(parsed.valid() && value->size() <= kPointerValueBytesMax);
  }
  return 0;
}
