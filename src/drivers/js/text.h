// WORKER. Texts between the engine (UTF-16, Latin-1) and the frames (UTF-8).
#pragma once

#include <jsapi.h>

#include <string>
#include <string_view>

namespace grapnel::js {

/// Appends as UTF-8; a surrogate without its other half becomes U+FFFD. False, with `out` cut
/// somewhere, when it would exceed `bytes_max` in all.
bool append_utf8(std::string& out, const char16_t* units, std::size_t count, std::size_t bytes_max);

/// The string as UTF-8, cut to `bytes_max`. False: the engine failed.
bool append_string(JSContext* context, JS::HandleString text, std::string& out,
                   std::size_t bytes_max);

/// Without control characters, cut to kMessageBytesMax: a message.
std::string one_line(std::string_view text);

/// RFC 4648 section 4, padded.
std::string base64(std::string_view bytes);

}  // namespace grapnel::js
