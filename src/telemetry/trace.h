// W3C Trace Context, level 1: the traceparent header.
//
//   00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
//   version, trace id, parent id, flags
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace grapnel::telemetry {

struct TraceContext {
  std::array<std::uint8_t, 16> trace_id{};
  std::array<std::uint8_t, 8> parent_id{};
  /// Bit 0: the caller may have recorded this trace; no other bit is defined
  std::uint8_t flags = 0;

  bool operator==(const TraceContext&) const = default;

  /// Of version 00, whatever version was read (section 4.3).
  std::string str() const;
  /// The 32 hexadecimal digits of the trace id, as log lines carry it.
  std::string trace_text() const;
  /// The same trace with a parent id of our own: what we send on.
  TraceContext child(Random& random) const;
};

/// A new trace that nobody has recorded.
TraceContext make_trace(Random& random);

/// A version above 00 is read as far as 00 goes (section 4.3); version ff, ids of zeros and upper
/// case are refused (sections 3.2.2.1 to 3.2.2.4). Error: malformed; the caller starts a new trace.
Result<TraceContext> parse_traceparent(std::string_view text);

}  // namespace grapnel::telemetry
