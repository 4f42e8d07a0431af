// Whatever an endpoint says, the wait is none or within its bound.
#include "pipeline/retry_after.h"

#include <cstdint>

#include "base/check.h"
#include "model/limits.h"

using namespace grapnel;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Time now : {Time{}, Time{Millis{1'767'225'600'000}}}) {
    const auto wait = pipeline::parse_retry_after(text, now);
    if (wait) GRAPNEL_CHECK(*wait >= Millis{0} && *wait <= model::kRetryWaitMax, wait->count());
  }
  return 0;
}
