// Equality whose duration does not depend on where two texts differ.
#pragma once

#include <string_view>

namespace grapnel::crypto {

/// The lengths are not hidden: those of digests and signatures are public.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace grapnel::crypto
