#include "telemetry/trace.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

namespace grapnel::telemetry {
namespace {

constexpr std::size_t kTextSize = 55;  // of version 00

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/// Lower-case hexadecimal only. `text` has two digits for each byte.
bool read_hex(std::string_view text, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

bool all_zero(std::span<const std::uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

void fill_id(Random& random, std::span<std::uint8_t> id) {
  do {
    random.fill(std::as_writable_bytes(id));
  } while (all_zero(id));
}

}  // namespace

std::string TraceContext::str() const {
  return fmt::format("00-{:02x}-{:02x}-{:02x}", fmt::join(trace_id, ""), fmt::join(parent_id, ""),
                     flags);
}

std::string TraceContext::trace_text() const {
  return fmt::format("{:02x}", fmt::join(trace_id, ""));
}

TraceContext TraceContext::child(Random& random) const {
  TraceContext out = *this;
  fill_id(random, out.parent_id);
  return out;
}

TraceContext make_trace(Random& random) {
  TraceContext out;
  fill_id(random, out.trace_id);
  fill_id(random, out.parent_id);
  return out;
}

Result<TraceContext> parse_traceparent(std::string_view text) {
  const auto malformed = [] { return fail(errc::malformed, "not a traceparent"); };
  if (text.size() < kTextSize) return malformed();
  TraceContext out;
  std::uint8_t version = 0;
  if (!read_hex(text.substr(0, 2), {&version, 1}) || version == 0xff || text[2] != '-' ||
      !read_hex(text.substr(3, 32), out.trace_id) || text[35] != '-' ||
      !read_hex(text.substr(36, 16), out.parent_id) || text[52] != '-' ||
      !read_hex(text.substr(53, 2), {&out.flags, 1})) {
    return malformed();
  }
  const bool longer = text.size() > kTextSize;
  if (longer && (version == 0 || text[kTextSize] != '-')) return malformed();
  if (all_zero(out.trace_id) || all_zero(out.parent_id)) return malformed();
  out.flags &= 1;
  return out;
}

}  // namespace grapnel::telemetry
