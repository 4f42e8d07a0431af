// Whatever a sender puts into a field, the entry stays one line of printable text.
#include "telemetry/log_entry.h"

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"

using namespace grapnel;
using namespace grapnel::telemetry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const LogFormat format : {LogFormat::json, LogFormat::text}) {
    const std::string line = format_entry(format, {}, Level::info, text, {{text, text}});
    GRAPNEL_CHECK(line.find('\n') == line.size() - 1);
    GRAPNEL_CHECK(line.find('\x1b') == std::string::npos);
    GRAPNEL_CHECK(valid_utf8(line) == line);
  }
  return 0;
}
