#include "drivers/http/cidr.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "drivers/http/errors.h"
#include "drivers/http/limits.h"

namespace grapnel::http {
namespace {

/// What may be shown of a text that somebody else wrote.
std::string_view shown(std::string_view text) { return text.substr(0, 2 * kAddressTextMax); }

IpAddress::Bytes masked(const IpAddress::Bytes& bytes, int prefix) {
  IpAddress::Bytes out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int bits = std::clamp(prefix - static_cast<int>(i) * 8, 0, 8);
    out[i] = static_cast<std::uint8_t>(bytes[i] & (0xFF00 >> bits));
  }
  return out;
}

IpAddress same_family(const IpAddress& like, const IpAddress::Bytes& bytes) {
  if (!like.is_v4()) return IpAddress::v6(bytes);
  return IpAddress::v4(static_cast<std::uint32_t>(bytes[0]) << 24 | bytes[1] << 16 | bytes[2] << 8 |
                       bytes[3]);
}

}  // namespace

IpAddress IpAddress::v4(std::uint32_t host_order) {
  IpAddress out;
  for (std::size_t i = 0; i < 4; ++i) {
    out.bytes_[i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
  }
  return out;
}

IpAddress IpAddress::v6(const Bytes& bytes) {
  IpAddress out;
  out.bytes_ = bytes;
  out.family_ = Family::v6;
  return out;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  std::array<char, kAddressTextMax + 1> zero_ended{};
  if (text.empty() || text.size() > kAddressTextMax || text.find('\0') != std::string_view::npos) {
    return fail(errc::bad_address, fmt::format("'{}' is no IP address", shown(text)));
  }
  std::ranges::copy(text, zero_ended.begin());
  IpAddress out;
  if (inet_pton(AF_INET, zero_ended.data(), out.bytes_.data()) == 1) return out;
  out.family_ = Family::v6;
  if (inet_pton(AF_INET6, zero_ended.data(), out.bytes_.data()) == 1) return out;
  return fail(errc::bad_address, fmt::format("'{}' is no IP address", shown(text)));
}

std::string IpAddress::str() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
  return text.data();
}

IpAddress IpAddress::unmapped() const {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (is_v4() || !std::ranges::equal(kMapped, std::span(bytes_).first<12>())) return *this;
  return embedded_v4(12);
}

IpAddress IpAddress::embedded_v4(std::size_t offset) const {
  IpAddress out;
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), 4, out.bytes_.begin());
  return out;
}

Result<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  auto base = IpAddress::parse(text.substr(0, slash));
  if (!base) {
    return fail(errc::bad_address,
                fmt::format("'{}' is no CIDR such as 10.0.0.0/8 or fd00::/8", shown(text)));
  }
  const int widest = base->is_v4() ? 32 : 128;
  int prefix = widest;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (digits.empty() || digits[0] == '-' || error != std::errc{} ||
        end != digits.data() + digits.size() || prefix > widest) {
      return fail(errc::bad_address,
                  fmt::format("'{}': the prefix is a number from 0 to {}", shown(text), widest));
    }
  }
  const IpAddress network = same_family(*base, masked(base->bytes(), prefix));
  if (network != *base) {
    return fail(errc::bad_address, fmt::format("'{}' has bits behind its prefix; meant is {}/{}",
                                               shown(text), network.str(), prefix));
  }
  return Cidr(*base, prefix);
}

bool Cidr::contains(const IpAddress& address) const {
  return address.family() == base_.family() && masked(address.bytes(), prefix_) == base_.bytes();
}

std::string Cidr::str() const { return fmt::format("{}/{}", base_.str(), prefix_); }

}  // namespace grapnel::http
