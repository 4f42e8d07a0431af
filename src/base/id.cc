#include "base/id.h"

#include <fmt/format.h>

#include "base/limits.h"

namespace grapnel {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kTextLength = 26;  // 26 * 5 = 130 bits: the first character holds 3

/// Value of a Crockford base32 character, -1 for none. I and L read as 1, O as 0.
int value_of(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'I' || c == 'L') c = '1';
  if (c == 'O') c = '0';
  const auto at = kAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

std::string encode_id(std::string_view prefix, const IdBytes& bytes) {
  std::string out(prefix.size() + kTextLength, '0');
  out.replace(0, prefix.size(), prefix);
  unsigned bits = 2;  // two leading zero bits make 130
  unsigned window = 0;
  std::size_t at = prefix.size();
  for (const std::uint8_t byte : bytes) {
    window = (window << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out[at++] = kAlphabet[(window >> bits) & 31];
    }
  }
  return out;
}

Result<IdBytes> decode_id(std::string_view prefix, std::string_view text) {
  const auto malformed = [&] {
    return fail(errc::malformed, fmt::format("'{}' is not an id: expected {} and {} characters",
                                             text.substr(0, kUnitTextMax), prefix, kTextLength));
  };
  if (!text.starts_with(prefix) || text.size() != prefix.size() + kTextLength) return malformed();
  IdBytes bytes{};
  unsigned window = 0;
  unsigned bits = 0;
  std::size_t at = 0;
  for (std::size_t i = prefix.size(); i < text.size(); ++i) {
    const int value = value_of(text[i]);
    if (value < 0 || (i == prefix.size() && value > 7)) return malformed();
    window = (window << 5) | static_cast<unsigned>(value);
    bits += i == prefix.size() ? 3 : 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = static_cast<std::uint8_t>(window >> bits);
    }
  }
  return bytes;
}

IdBytes IdSource::next() {
  IdBytes bytes;
  random_.fill(std::as_writable_bytes(std::span{bytes}));
  const auto millis = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count());
  for (int i = 0; i < 6; ++i) {
    bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(millis >> (40 - 8 * i));
  }
  return bytes;
}

}  // namespace grapnel
