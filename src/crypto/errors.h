// What can go wrong in the crypto room.
#pragma once

#include "base/result.h"

namespace grapnel::crypto {

enum class errc {
  malformed =
      1,      ///< a text is not base64, hexadecimal or a key of the right size; tell who wrote it
  wrong_key,  ///< a sealed text names a master key that is not configured; configure that key
  damaged,    ///< a sealed text was altered, cut or moved to another place; it has to be set again
  untrusted,  ///< a certificate is not signed by the CAs that count, or not in force; refuse it
  too_large,  ///< a plain text is above kPlaintextBytesMax; tell who wrote it
};
std::error_code make_error_code(errc code) noexcept;

}  // namespace grapnel::crypto

template <>
struct std::is_error_code_enum<grapnel::crypto::errc> : std::true_type {};
