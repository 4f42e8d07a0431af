#include "base/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/limits.h"

namespace grapnel {
namespace {

/// Reads exactly `digits` decimal digits at `at`, moving it on.
std::optional<int> read_digits(std::string_view text, std::size_t& at, std::size_t digits) {
  if (at + digits > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const char c = text[at + i];
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  at += digits;
  return value;
}

bool read_char(std::string_view text, std::size_t& at, std::string_view allowed) {
  if (at >= text.size() || allowed.find(text[at]) == std::string_view::npos) return false;
  ++at;
  return true;
}

std::optional<Millis> read_fraction(std::string_view text, std::size_t& at) {
  if (at >= text.size() || text[at] != '.') return Millis{0};
  ++at;
  int value = 0;
  std::size_t digits = 0;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
    if (digits < 3) value = value * 10 + (text[at] - '0');
    ++digits;
    ++at;
  }
  if (digits == 0 || digits > 9) return std::nullopt;
  for (std::size_t i = digits; i < 3; ++i) value *= 10;
  return Millis{value};
}

std::optional<std::chrono::minutes> read_offset(std::string_view text, std::size_t& at) {
  if (read_char(text, at, "Zz")) return std::chrono::minutes{0};
  if (at >= text.size() || (text[at] != '+' && text[at] != '-')) return std::nullopt;
  const int sign = text[at++] == '-' ? -1 : 1;
  const auto hours = read_digits(text, at, 2);
  if (!hours || !read_char(text, at, ":")) return std::nullopt;
  const auto minutes = read_digits(text, at, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return std::chrono::minutes{sign * (*hours * 60 + *minutes)};
}

}  // namespace

Time SystemClock::wall() const {
  return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
}

Monotonic SystemClock::monotonic() const { return std::chrono::steady_clock::now(); }

StoreClock::StoreClock(const Clock& clock, Time not_before)
    : clock_(clock),
      start_(std::max(clock.wall(), not_before)),
      monotonic_start_(clock.monotonic()) {}

Time StoreClock::now() const {
  return start_ + std::chrono::duration_cast<Millis>(clock_.monotonic() - monotonic_start_);
}

Millis StoreClock::wall_offset() const { return clock_.wall() - now(); }

std::string to_rfc3339(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int(date.year()),
                     unsigned(date.month()), unsigned(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

Result<Time> parse_rfc3339(std::string_view text) {
  const auto malformed = [&] {
    return fail(errc::malformed,
                fmt::format("'{}' is not an RFC 3339 time such as 2026-01-02T03:04:05Z",
                            text.substr(0, kUnitTextMax)));
  };
  std::size_t at = 0;
  const auto year = read_digits(text, at, 4);
  if (!year || !read_char(text, at, "-")) return malformed();
  const auto month = read_digits(text, at, 2);
  if (!month || !read_char(text, at, "-")) return malformed();
  const auto day = read_digits(text, at, 2);
  if (!day || !read_char(text, at, "Tt ")) return malformed();
  const auto hour = read_digits(text, at, 2);
  if (!hour || !read_char(text, at, ":")) return malformed();
  const auto minute = read_digits(text, at, 2);
  if (!minute || !read_char(text, at, ":")) return malformed();
  const auto second = read_digits(text, at, 2);
  if (!second) return malformed();
  const auto fraction = read_fraction(text, at);
  if (!fraction) return malformed();
  const auto offset = read_offset(text, at);
  if (!offset || at != text.size()) return malformed();

  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return malformed();
  return Time{std::chrono::sys_days{date}} + std::chrono::hours{*hour} +
         std::chrono::minutes{*minute} + std::chrono::seconds{*second} + *fraction - *offset;
}

}  // namespace grapnel
