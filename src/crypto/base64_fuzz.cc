// Whatever decodes strictly encodes back to the same text; lenient takes all that strict takes.
#include "crypto/base64.h"

#include <cstdint>
#include <string_view>

#include "base/check.h"

using namespace grapnel::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lenient = base64_decode_lenient(text);
  if (const auto strict = base64_decode(text)) {
    GRAPNEL_CHECK(base64_encode(*strict) == text);
    GRAPNEL_CHECK(lenient && *lenient == *strict);
  }
  if (lenient) GRAPNEL_CHECK(base64_decode(base64_encode(*lenient)).value() == *lenient);
  if (const auto bytes = hex_decode(text)) GRAPNEL_CHECK(hex_encode(*bytes).size() == text.size());
  GRAPNEL_CHECK(base64_decode(base64_encode(text)).value() == text);
  GRAPNEL_CHECK(hex_decode(hex_encode(text)).value() == text);
  return 0;
}
