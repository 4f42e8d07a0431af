#include "drivers/js/text.h"

#include <js/CharacterEncoding.h>
#include <js/String.h>

#include <algorithm>
#include <cstdint>

#include "base/utf8.h"
#include "drivers/js/limits.h"

namespace grapnel::js {
namespace {

bool is_high(char32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(char32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

void append_character(std::string& out, char32_t c) {
  const auto byte = [&out](char32_t value) { out.push_back(static_cast<char>(value)); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | (c >> 6));
    byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | (c >> 12));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | (c >> 18));
    byte(0x80 | ((c >> 12) & 0x3F));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  }
}

}  // namespace

bool append_utf8(std::string& out, const char16_t* units, std::size_t count,
                 std::size_t bytes_max) {
  std::size_t at = 0;
  while (at < count) {
    const char32_t unit = units[at];
    if (out.size() + 4 > bytes_max && out.size() + (unit < 0x80 ? 1 : 4) > bytes_max) return false;
    ++at;
    if (is_high(unit) && at < count && is_low(units[at])) {
      append_character(out, 0x10000 + ((unit - 0xD800) << 10) + (units[at++] - 0xDC00));
    } else {
      append_character(out, is_high(unit) || is_low(unit) ? 0xFFFD : unit);
    }
  }
  return true;
}

bool append_string(JSContext* context, JS::HandleString text, std::string& out,
                   std::size_t bytes_max) {
  // A character of UTF-16 is at least one byte of UTF-8, so no more of them can fit.
  const std::size_t count = std::min(JS::GetStringLength(text), bytes_max);
  JS::RootedString part(context, JS_NewDependentString(context, text, 0, count));
  if (!part) return false;
  const JS::UniqueChars utf8 = JS_EncodeStringToUTF8(context, part);
  if (!utf8) return false;
  out += cut_utf8(utf8.get(), bytes_max);
  return true;
}

std::string one_line(std::string_view text) {
  std::string line(cut_utf8(text, kMessageBytesMax));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';
  }
  return line;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view part = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (i < part.size() ? static_cast<unsigned char>(part[i]) : 0);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out.push_back(i <= part.size() ? kAlphabet[bits >> (18 - 6 * i) & 63] : '=');
    }
  }
  return out;
}

}  // namespace grapnel::js
