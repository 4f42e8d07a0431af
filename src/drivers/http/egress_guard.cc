#include "drivers/http/egress_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "drivers/http/errors.h"

namespace grapnel::http {
namespace {

/// Offset of an IPv4 address carried inside an IPv6 one; none for most blocks.
constexpr int kCarriesNone = -1;

struct SpecialBlock {
  std::string_view cidr;
  std::string_view what;
  int carried_at = kCarriesNone;
};

// IANA special-purpose address registries (RFC 6890 and what followed), the most specific first.
constexpr std::array kSpecialBlocks = {
    SpecialBlock{"169.254.169.254/32", "cloud metadata"},
    SpecialBlock{"0.0.0.0/8", "unspecified"},
    SpecialBlock{"10.0.0.0/8", "private"},
    SpecialBlock{"100.64.0.0/10", "carrier-grade NAT"},
    SpecialBlock{"127.0.0.0/8", "loopback"},
    SpecialBlock{"169.254.0.0/16", "link-local"},
    SpecialBlock{"172.16.0.0/12", "private"},
    SpecialBlock{"192.0.0.0/24", "protocol assignments"},
    SpecialBlock{"192.0.2.0/24", "documentation"},
    SpecialBlock{"192.88.99.0/24", "6to4 relay"},
    SpecialBlock{"192.168.0.0/16", "private"},
    SpecialBlock{"198.18.0.0/15", "benchmarking"},
    SpecialBlock{"198.51.100.0/24", "documentation"},
    SpecialBlock{"203.0.113.0/24", "documentation"},
    SpecialBlock{"224.0.0.0/4", "multicast"},
    SpecialBlock{"255.255.255.255/32", "broadcast"},
    SpecialBlock{"240.0.0.0/4", "reserved"},
    SpecialBlock{"fd00:ec2::254/128", "cloud metadata"},
    SpecialBlock{"::/128", "unspecified"},
    SpecialBlock{"::1/128", "loopback"},
    SpecialBlock{"::ffff:0.0.0.0/96", "IPv4-mapped", 12},
    SpecialBlock{"::/96", "IPv4-compatible", 12},
    SpecialBlock{"64:ff9b::/96", "NAT64", 12},
    SpecialBlock{"64:ff9b:1::/48", "NAT64, local use"},
    SpecialBlock{"100::/64", "discard"},
    SpecialBlock{"2001::/32", "Teredo"},
    SpecialBlock{"2001::/23", "protocol assignments"},
    SpecialBlock{"2001:db8::/32", "documentation"},
    SpecialBlock{"2002::/16", "6to4", 2},
    SpecialBlock{"3fff::/20", "documentation"},
    SpecialBlock{"5f00::/16", "segment routing"},
    SpecialBlock{"fc00::/7", "unique local"},
    SpecialBlock{"fe80::/10", "link-local"},
    SpecialBlock{"fec0::/10", "site-local"},
    SpecialBlock{"ff00::/8", "multicast"},
};

/// The blocks of one guard, parsed; both arrays have the same order.
Cidr parsed(const SpecialBlock& block) {
  auto cidr = Cidr::parse(block.cidr);
  GRAPNEL_CHECK(cidr.has_value(), block.cidr);
  return *cidr;
}

struct KnownBlock {
  Cidr cidr;
  const SpecialBlock* block;
};

const std::vector<KnownBlock>& known_blocks() {
  static const std::vector<KnownBlock> blocks = [] {
    std::vector<KnownBlock> out;
    out.reserve(kSpecialBlocks.size());
    for (const auto& block : kSpecialBlocks) out.push_back({parsed(block), &block});
    return out;
  }();
  return blocks;
}

std::unexpected<Error> refused(const IpAddress& address, std::string_view what, const Cidr& block) {
  return fail(errc::egress_refused,
              fmt::format("egress to {} ({}) is refused; allow it with egress.allow: [{}] or "
                          "GRAPNEL_EGRESS_ALLOW",
                          address.str(), what, block.str()));
}

}  // namespace

EgressGuard::EgressGuard(std::vector<Cidr> allowed) : allowed_(std::move(allowed)) {}

EgressGuard EgressGuard::allow_all() {
  EgressGuard guard({});
  guard.everything_ = true;
  return guard;
}

bool EgressGuard::allowed(const IpAddress& address) const {
  return std::ranges::any_of(allowed_, [&](const Cidr& cidr) { return cidr.contains(address); });
}

Result<> EgressGuard::check(const IpAddress& address) const {
  if (everything_) return {};
  const auto& blocks = known_blocks();
  const auto at = std::ranges::find_if(
      blocks, [&](const KnownBlock& known) { return known.cidr.contains(address); });
  if (at == blocks.end()) return {};
  const SpecialBlock& block = *at->block;
  if (block.carried_at == kCarriesNone) {
    if (allowed(address)) return {};
    return refused(address, block.what, at->cidr);
  }
  const IpAddress carried = address.embedded_v4(static_cast<std::size_t>(block.carried_at));
  if (allowed(carried)) return {};
  if (!allowed(address)) return refused(address, block.what, at->cidr);
  return check(carried);
}

}  // namespace grapnel::http
