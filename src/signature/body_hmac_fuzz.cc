// Header values of any form neither verify nor end the process, and what we sign verifies.
#include "signature/body_hmac.h"

#include <cstdint>
#include <string_view>

#include "base/check.h"

using namespace grapnel::signature;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  GRAPNEL_CHECK(!verify_body("secret", text, "body"));
  GRAPNEL_CHECK(verify_body("secret", sign_body("secret", text), text).has_value());
  return 0;
}
