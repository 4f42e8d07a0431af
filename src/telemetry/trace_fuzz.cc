// What is read is written back as a context that reads the same.
#include "telemetry/trace.h"

#include <cstdint>
#include <string_view>

#include "base/check.h"

using namespace grapnel::telemetry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto context = parse_traceparent({reinterpret_cast<const char*>(data), size});
  if (context) GRAPNEL_CHECK(parse_traceparent(context->str()).value() == *context);
  return 0;
}
