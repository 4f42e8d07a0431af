// Whatever parses reads back as itself and contains its own base.
#include "drivers/http/cidr.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "drivers/http/egress_guard.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace grapnel::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto address = IpAddress::parse(text)) {
    if (IpAddress::parse(address->str()) != *address) std::abort();
    (void)EgressGuard({}).check(*address);
    (void)EgressGuard({}).check(address->unmapped());
  }
  if (const auto cidr = Cidr::parse(text)) {
    const auto again = Cidr::parse(cidr->str());
    if (!again || *again != *cidr) std::abort();
  }
  return 0;
}
