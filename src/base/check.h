// GRAPNEL_CHECK: a bug ends the process, in release builds too. Nothing that comes from a client,
// an endpoint, a script, a database or a cluster may reach one: that is an Error (result.h).
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace grapnel {

/// Writes "file:line: check failed: expr (values)" to stderr and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* expression,
                               std::string_view values);

}  // namespace grapnel

/// GRAPNEL_CHECK(cond) or GRAPNEL_CHECK(cond, a, b): the values are printed when it fails.
#define GRAPNEL_CHECK(condition, ...)                                       \
  do {                                                                      \
    if (!(condition)) [[unlikely]] {                                        \
      ::grapnel::check_failed(__FILE__, __LINE__, #condition,               \
                              ::grapnel::detail::join_values(__VA_ARGS__)); \
    }                                                                       \
  } while (false)

namespace grapnel::detail {

template <class... Values>
std::string join_values(const Values&... values) {
  std::string out;
  ((out += fmt::format("{}{}", out.empty() ? "" : ", ", values)), ...);
  return out;
}

}  // namespace grapnel::detail
