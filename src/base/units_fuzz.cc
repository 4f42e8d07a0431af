// Durations, sizes, times and ids: whatever is read is written as a text that reads the same.
#include "base/units.h"

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "base/id.h"

using namespace grapnel;

namespace {

struct EventTag {
  static constexpr std::string_view kPrefix = "evt";
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto duration = parse_duration(text)) {
    GRAPNEL_CHECK(parse_duration(format_duration(*duration)).value() == *duration);
  }
  if (const auto bytes = parse_size(text)) {
    GRAPNEL_CHECK(parse_size(format_size(*bytes)).value() == *bytes);
  }
  if (const auto time = parse_rfc3339(text)) {
    GRAPNEL_CHECK(parse_rfc3339(to_rfc3339(*time)).value() == *time);
  }
  if (const auto id = Id<EventTag>::parse(text)) {
    GRAPNEL_CHECK(Id<EventTag>::parse(id->str()).value() == *id);
  }
  return 0;
}
