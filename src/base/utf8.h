// UTF-8 (RFC 3629) in text of unknown origin.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace grapnel {

/// Length of the well-formed sequence at `i`, 0 if there is none (RFC 3629 section 4).
std::size_t utf8_sequence_at(std::string_view text, std::size_t i);

/// Bytes that are no UTF-8 replaced by U+FFFD, one for one, so that the text can stand in JSON, in
/// pages and in labels.
std::string valid_utf8(std::string_view text);

/// At most `bytes_max` bytes, cut between characters.
std::string_view cut_utf8(std::string_view text, std::size_t bytes_max);

}  // namespace grapnel
