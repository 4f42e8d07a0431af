#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace grapnel {

void check_failed(const char* file, int line, const char* expression, std::string_view values) {
  fmt::print(stderr, "{}:{}: check failed: {}{}{}{}\n", file, line, expression,
             values.empty() ? "" : " (", values, values.empty() ? "" : ")");
  std::fflush(stderr);
  std::abort();
}

}  // namespace grapnel
