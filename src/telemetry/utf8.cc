#include "telemetry/utf8.h"

#include <fmt/format.h>

#include <iterator>

namespace grapnel::telemetry {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

/// Length of the well-formed sequence at `i`, 0 if there is none (RFC 3629 section 4).
std::size_t sequence_at(std::string_view text, std::size_t i) {
  const unsigned char lead = byte_at(text, i);
  if (lead < 0x80) return 1;
  std::size_t size = 0;
  unsigned char low = 0x80;  // range of the second byte
  unsigned char high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) {
    size = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    size = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;  // surrogates
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    size = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  } else {
    return 0;
  }
  if (i + size > text.size()) return 0;
  if (byte_at(text, i + 1) < low || byte_at(text, i + 1) > high) return 0;
  for (std::size_t k = 2; k < size; ++k) {
    if ((byte_at(text, i + k) & 0xc0) != 0x80) return 0;
  }
  return size;
}

void append_ascii(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
  } else {
    out += c;
  }
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = sequence_at(text, i);
    out += size == 0 ? kReplacement : text.substr(i, size);
    i += size == 0 ? 1 : size;
  }
  return out;
}

void append_escaped(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = sequence_at(text, i);
    const bool c1 = size == 2 && byte_at(text, i) == 0xc2 && byte_at(text, i + 1) < 0xa0;
    if (size == 0) {
      out += kReplacement;
    } else if (size == 1) {
      append_ascii(out, text[i]);
    } else if (c1) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte_at(text, i + 1));
    } else {
      out += text.substr(i, size);
    }
    i += size == 0 ? 1 : size;
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

std::string_view cut_utf8(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t size = bytes_max;
  while (size > 0 && bytes_max - size < 4 && (byte_at(text, size) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace grapnel::telemetry
