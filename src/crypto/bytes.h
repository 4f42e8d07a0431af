// Bytes seen as text and back. Keys and messages travel as string_view (any bytes), digests and raw
// keys as arrays of their exact size.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace grapnel::crypto {

inline std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace grapnel::crypto
