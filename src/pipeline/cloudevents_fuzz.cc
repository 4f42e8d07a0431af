// Any body as a batch: what is split are events that are JSON each, and together the batch again.
#include "pipeline/cloudevents.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "pipeline/json_body.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace grapnel::pipeline;  // NOLINT(google-build-using-namespace)
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto split = split_batch(body);
  if (!split) return 0;
  std::string again = "[";
  for (const auto& event : *split) {
    GRAPNEL_CHECK(is_json(event));
    GRAPNEL_CHECK(missing_attribute(event).empty());
    again += (again.size() > 1 ? "," : "") + event;
  }
  again += "]";
  GRAPNEL_CHECK(split_batch(again) == split);
  return 0;
}
