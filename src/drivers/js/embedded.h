// A file of the build inside the program: GRAPNEL_EMBED(name, "path") defines the symbols that
// GRAPNEL_EMBEDDED(name) makes a view of. The build must say that the source depends on the file.
#pragma once

#include <cstddef>
#include <string_view>

namespace grapnel::js {

constexpr std::string_view embedded(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace grapnel::js

#define GRAPNEL_EMBED(name, path)                          \
  asm(".section .rodata." #name                            \
      ",\"a\",@progbits\n"                                 \
      ".balign 16\n"                                       \
      ".global grapnel_embedded_" #name                    \
      "_begin\n"                                           \
      ".hidden grapnel_embedded_" #name                    \
      "_begin\n"                                           \
      "grapnel_embedded_" #name                            \
      "_begin:\n"                                          \
      ".incbin \"" path                                    \
      "\"\n"                                               \
      ".global grapnel_embedded_" #name                    \
      "_end\n"                                             \
      ".hidden grapnel_embedded_" #name                    \
      "_end\n"                                             \
      "grapnel_embedded_" #name                            \
      "_end:\n"                                            \
      ".byte 0\n"                                          \
      ".text\n");                                          \
  extern "C" const char grapnel_embedded_##name##_begin[]; \
  extern "C" const char grapnel_embedded_##name##_end[]

#define GRAPNEL_EMBEDDED(name) \
  ::grapnel::js::embedded(grapnel_embedded_##name##_begin, grapnel_embedded_##name##_end)
