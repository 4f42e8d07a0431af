// Whatever parse_url takes, it must take again when put together from the parts, with the same
// meaning.
#include "drivers/http/url.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace grapnel::http;
  const auto url = parse_url({reinterpret_cast<const char*>(data), size});
  if (!url) return 0;
  const std::string again = std::string(url->scheme == Scheme::http ? "http" : "https") + "://" +
                            url->authority + url->target;
  const auto second = parse_url(again);
  if (again.size() <= size && !second) std::abort();
  if (second && (second->host != url->host || second->port != url->port ||
                 second->target != url->target || second->address != url->address)) {
    std::abort();
  }
  return 0;
}
