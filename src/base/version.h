// The program's version, as `grapnel version`, User-Agent and grapnel_build_info say it.
#pragma once

#include <string_view>

namespace grapnel {

inline constexpr std::string_view kVersion = GRAPNEL_VERSION;

}  // namespace grapnel
