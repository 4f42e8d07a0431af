// IP addresses and blocks of them, as values without a socket library behind them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace grapnel::http {

class IpAddress {
 public:
  enum class Family : std::uint8_t { v4, v6 };
  using Bytes = std::array<std::uint8_t, 16>;

  /// 0.0.0.0
  IpAddress() = default;
  static IpAddress v4(std::uint32_t host_order);
  static IpAddress v6(const Bytes& bytes);
  /// Canonical dotted quad (no octal, no short forms) or RFC 4291 text without brackets and zone.
  /// Error: bad_address.
  static Result<IpAddress> parse(std::string_view text);

  Family family() const { return family_; }
  bool is_v4() const { return family_ == Family::v4; }
  /// Network order; a v4 address fills the first four.
  const Bytes& bytes() const { return bytes_; }
  std::string str() const;
  /// The IPv4 address inside ::ffff:0:0/96; the address itself otherwise.
  IpAddress unmapped() const;
  /// Four bytes from `offset` of a v6 address, as an IPv4 address.
  IpAddress embedded_v4(std::size_t offset) const;
  auto operator<=>(const IpAddress&) const = default;

 private:
  Bytes bytes_{};
  Family family_ = Family::v4;
};

class Cidr {
 public:
  /// "10.0.0.0/8", "fd00::/8", or one address. A block with bits behind its prefix is a mistake and
  /// refused. Error: bad_address.
  static Result<Cidr> parse(std::string_view text);

  /// False for an address of the other family, whatever it embeds.
  bool contains(const IpAddress& address) const;
  std::string str() const;
  bool operator==(const Cidr&) const = default;

 private:
  Cidr(const IpAddress& base, int prefix) : base_(base), prefix_(prefix) {}

  IpAddress base_;
  int prefix_;
};

}  // namespace grapnel::http
