// Text of unknown origin made safe for a log line or a label.
#pragma once

#include <string>
#include <string_view>

namespace grapnel::telemetry {

/// Bytes that are no UTF-8 (RFC 3629) replaced by U+FFFD, one for one.
std::string valid_utf8(std::string_view text);

/// The text as a JSON string (RFC 8259 section 7) with its quotes. Invalid bytes become U+FFFD; all
/// control characters, those of C1 too, are escaped: a terminal would obey them.
void append_json_string(std::string& out, std::string_view text);
/// The same without quotes.
void append_escaped(std::string& out, std::string_view text);

/// At most `bytes_max` bytes, cut between characters.
std::string_view cut_utf8(std::string_view text, std::size_t bytes_max);

}  // namespace grapnel::telemetry
