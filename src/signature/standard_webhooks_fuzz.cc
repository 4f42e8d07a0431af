// Header values of any form neither verify nor end the process, and what we sign verifies.
#include "signature/standard_webhooks.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"

using namespace grapnel;
using namespace grapnel::signature;

namespace {

constexpr std::string_view kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view kPair =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";

/// Cuts the input at NUL bytes.
std::string_view next(std::string_view& rest) {
  const auto end = std::min(rest.find('\0'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view id = next(rest);
  const std::string_view timestamp = next(rest);
  const std::string_view header = next(rest);
  const std::array keys{VerifyingKey::parse(kSecret).value(), VerifyingKey::parse(kPair).value()};
  const Time now{Millis{1'614'265'330'000}};
  GRAPNEL_CHECK(!verify(keys, {id, timestamp, header}, rest, now));
  GRAPNEL_CHECK(!verify(keys, {"msg_1", "1614265330", header}, rest, now));
  (void)SigningKey::parse(header);
  (void)VerifyingKey::parse(header);

  const SigningKey secret = SigningKey::parse(kSecret).value();
  const SigningKey pair = SigningKey::parse(kPair).value();
  const SigningKey* const signers[] = {&secret, &pair};
  const std::string good = sign(signers, "msg_1", 1'614'265'330, rest);
  GRAPNEL_CHECK(verify(keys, {"msg_1", "1614265330", good}, rest, now).has_value());
  return 0;
}
