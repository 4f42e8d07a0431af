#include "crypto/base64.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

#include "base/hex.h"
#include "crypto/errors.h"

namespace grapnel::crypto {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kHex = "0123456789abcdef";

/// Value of each character, -1 for those outside the alphabet.
using Table = std::array<std::int8_t, 256>;
constexpr Table table_of(std::string_view alphabet) {
  Table table{};
  table.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}
constexpr Table kStandardValues = table_of(kStandard);

enum class Padding { with, without };
enum class Rule { strict, lenient };

std::string encode(std::string_view bytes, std::string_view alphabet, Padding padding) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t window = 0;
  unsigned bits = 0;
  for (const char byte : bytes) {
    window = (window << 8) | static_cast<unsigned char>(byte);
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out += alphabet[(window >> bits) & 63];
    }
  }
  if (bits > 0) out += alphabet[(window << (6 - bits)) & 63];
  while (padding == Padding::with && out.size() % 4 != 0) out += '=';
  return out;
}

Result<std::string> decode(std::string_view text, Rule rule) {
  const std::size_t whole = text.size();
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  const bool padded = whole % 4 == 0;
  if (text.size() % 4 == 1 || (!padded && (rule == Rule::strict || whole != text.size()))) {
    return fail(errc::malformed, fmt::format("not base64: {} characters", whole));
  }
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t window = 0;
  unsigned bits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int value = kStandardValues[static_cast<unsigned char>(text[i])];
    if (value < 0) return fail(errc::malformed, fmt::format("not base64: character {}", i + 1));
    window = (window << 6) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(window >> bits);
    }
  }
  if (rule == Rule::strict && (window & ((1U << bits) - 1)) != 0) {
    return fail(errc::malformed, "not base64: unused bits are set");
  }
  return out;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  return encode(bytes, kStandard, Padding::with);
}
std::string base64url_encode(std::string_view bytes) {
  return encode(bytes, kUrl, Padding::without);
}

Result<std::string> base64_decode(std::string_view text) { return decode(text, Rule::strict); }
Result<std::string> base64_decode_lenient(std::string_view text) {
  return decode(text, Rule::lenient);
}

std::string hex_encode(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    out += kHex[static_cast<unsigned char>(byte) >> 4];
    out += kHex[static_cast<unsigned char>(byte) & 15];
  }
  return out;
}

Result<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0)
    return fail(errc::malformed, "not hexadecimal: an odd number of digits");
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) {
      return fail(errc::malformed,
                  fmt::format("not hexadecimal: digit {}", i + (high < 0 ? 1 : 2)));
    }
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

}  // namespace grapnel::crypto
