// Refuses outgoing connections to addresses that are not the public internet, so that a URL
// somebody typed cannot reach the inside of a cluster. Asked with the address a socket is about to
// connect to, after name resolution: a name that changes its mind between two look-ups gains
// nothing.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "drivers/http/cidr.h"

namespace grapnel::http {

class EgressGuard {
 public:
  /// Refuses every special block but `allowed`.
  explicit EgressGuard(std::vector<Cidr> allowed);
  /// Refuses nothing: for a person's own command line.
  static EgressGuard allow_all();

  /// An address inside an allowed block passes. An IPv6 address that carries an IPv4 one (mapped,
  /// compatible, 6to4, NAT64) passes only if the carried one does, too.
  /// Error: egress_refused, with the class of the address and the setting that allows it.
  Result<> check(const IpAddress& address) const;

 private:
  bool allowed(const IpAddress& address) const;

  std::vector<Cidr> allowed_;
  bool everything_ = false;
};

}  // namespace grapnel::http
