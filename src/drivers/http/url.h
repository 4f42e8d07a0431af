// The URLs that an outgoing call may name. One reading for everybody: what is validated when an
// action is saved is what is connected to, so texts that clients read differently are refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "drivers/http/cidr.h"

namespace grapnel::http {

enum class Scheme : std::uint8_t { http, https };

struct Url {
  Scheme scheme = Scheme::https;
  std::string host;                  ///< lower case, without brackets and last dot
  std::optional<IpAddress> address;  ///< set when `host` is one
  std::uint16_t port = 443;
  std::string target;     ///< path and query as given, never empty; the fragment is dropped
  std::string authority;  ///< value of the Host field: the port only where it is not the scheme's
};

/// http and https, absolute, ASCII, up to model::kUrlBytesMax. Refused: credentials; other schemes;
/// IPv6 zones; numeric hosts that are no canonical dotted quad ("0x7f.1", "2130706433",
/// "010.0.0.1"); names with empty or overlong labels. Error: bad_url, which never repeats
/// credentials.
Result<Url> parse_url(std::string_view text);

}  // namespace grapnel::http
