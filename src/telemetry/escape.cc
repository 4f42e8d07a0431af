#include "telemetry/escape.h"

#include <fmt/format.h>

#include <iterator>

#include "base/utf8.h"

namespace grapnel::telemetry {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

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

void append_escaped(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = utf8_sequence_at(text, i);
    const auto second = static_cast<unsigned char>(size == 2 ? text[i + 1] : '\0');
    const bool c1 = size == 2 && text[i] == '\xc2' && second < 0xa0;
    if (size == 0) {
      out += kReplacement;
    } else if (size == 1) {
      append_ascii(out, text[i]);
    } else if (c1) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", second);
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

}  // namespace grapnel::telemetry
