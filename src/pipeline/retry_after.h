// Retry-After (RFC 9110 section 10.2.3): seconds or an HTTP date.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace grapnel::pipeline {

/// How long to wait from `now` on; nothing for a text that is neither, zero for a date that has
/// passed. At most kRetryWaitMax.
std::optional<Millis> parse_retry_after(std::string_view value, Time now);

}  // namespace grapnel::pipeline
