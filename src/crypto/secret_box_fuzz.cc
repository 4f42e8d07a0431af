// No text opens but the one that was sealed, and none ends the process.
#include "crypto/secret_box.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"

using namespace grapnel::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  grapnel::SeededRandom random(1);
  const SecretBox box(random, parse_master_key(std::string(64, '7')).value());
  GRAPNEL_CHECK(!box.open(text, "context"));
  GRAPNEL_CHECK(!box.open("v1:" + box.key_name() + ":" + std::string(text), "context"));
  (void)parse_master_key(text);
  if (const auto sealed = box.seal(text, "context")) {
    GRAPNEL_CHECK(box.open(*sealed, "context").value().reveal() == text);
    GRAPNEL_CHECK(!box.open(*sealed, "elsewhere"));
  }
  return 0;
}
