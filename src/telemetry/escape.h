// Text of unknown origin made safe for a log line or a document.
#pragma once

#include <string>
#include <string_view>

namespace grapnel::telemetry {

/// The text as a JSON string (RFC 8259 section 7) with its quotes. Invalid bytes become U+FFFD; all
/// control characters, those of C1 too, are escaped: a terminal would obey them.
void append_json_string(std::string& out, std::string_view text);
/// The same without quotes.
void append_escaped(std::string& out, std::string_view text);

}  // namespace grapnel::telemetry
