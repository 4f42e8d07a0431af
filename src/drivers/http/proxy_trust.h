// Who asked, when a proxy asked for them. X-Forwarded-For and X-Forwarded-Proto are believed only
// from configured proxies; from anybody else they are ordinary text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drivers/http/cidr.h"
#include "model/headers.h"

namespace grapnel::http {

class ProxyTrust {
 public:
  explicit ProxyTrust(std::vector<Cidr> proxies) : proxies_(std::move(proxies)) {}

  bool trusts(const IpAddress& peer) const;
  /// The rightmost address that is no trusted proxy, as "address" or "address:port" (as the proxy
  /// wrote it). None when the fields name no such address. Call it for trusted peers only.
  std::optional<std::string> client(const model::HeaderList& headers) const;
  /// Whether the nearest proxy was reached over TLS. Call it for trusted peers only.
  std::optional<bool> secure(const model::HeaderList& headers) const;

 private:
  std::vector<Cidr> proxies_;
};

}  // namespace grapnel::http
