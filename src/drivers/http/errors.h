// What can go wrong in the http room.
#pragma once

#include "base/result.h"

namespace grapnel::http {

enum class errc {
  bad_address = 1,     ///< a text is no IP address or CIDR; tell whoever wrote it
  bad_url,             ///< a text is no URL that we call; tell whoever wrote it
  egress_refused,      ///< the address may not be called; the message names the setting
  name_not_found,      ///< the name does not exist, or has no address
  name_lookup_failed,  ///< the name servers failed or did not answer; try again later
  lookups_busy,        ///< too many names are being looked up; try again later
  listen_failed,       ///< the address cannot be listened on; tell the operator
  bad_tls_files,       ///< certificate, key or CA file missing or wrong; tell the operator
};
std::error_code make_error_code(errc code) noexcept;

}  // namespace grapnel::http

template <>
struct std::is_error_code_enum<grapnel::http::errc> : std::true_type {};
