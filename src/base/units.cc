#include "base/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

#include "base/limits.h"

namespace grapnel {
namespace {

struct DurationUnit {
  std::string_view name;
  std::int64_t millis;
};
constexpr std::array<DurationUnit, 5> kDurationUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array<SizeUnit, 12> kSizeUnits{{{"", 1},
                                               {"B", 1},
                                               {"KiB", 1_KiB},
                                               {"K", 1_KiB},
                                               {"kB", 1000},
                                               {"MiB", 1_MiB},
                                               {"M", 1_MiB},
                                               {"MB", 1000 * 1000},
                                               {"GiB", 1_GiB},
                                               {"G", 1_GiB},
                                               {"GB", 1000 * 1000 * 1000},
                                               {"TiB", 1024_GiB}}};

}  // namespace

Result<Millis> parse_duration(std::string_view text) {
  const auto malformed = [&] {
    return fail(errc::malformed,
                fmt::format("'{}' is not a duration such as 250ms, 5s, 5m, 1h30m or 30d",
                            text.substr(0, kUnitTextMax)));
  };
  if (text.empty() || text.size() > kUnitTextMax) return malformed();
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc{} || number < 0) return malformed();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::size_t length = rest.find_first_of("0123456789");
    const std::string_view name = rest.substr(0, length);
    std::size_t unit = next_unit;
    while (unit < kDurationUnits.size() && kDurationUnits[unit].name != name) ++unit;
    if (unit == kDurationUnits.size()) return malformed();
    rest.remove_prefix(name.size());
    next_unit = unit + 1;
    if (number > (kDurationMax.count() - total) / kDurationUnits[unit].millis) {
      return fail(errc::out_of_range, fmt::format("'{}' is more than 10 years", text));
    }
    total += number * kDurationUnits[unit].millis;
  }
  return Millis{total};
}

std::string format_duration(Millis duration) {
  std::int64_t left = duration.count();
  if (left == 0) return "0s";
  std::string out = left < 0 ? "-" : "";
  left = left < 0 ? -left : left;
  for (const auto& unit : kDurationUnits) {
    if (left >= unit.millis) {
      out += fmt::format("{}{}", left / unit.millis, unit.name);
      left %= unit.millis;
    }
  }
  return out;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{}) {
    const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
    for (const auto& unit : kSizeUnits) {
      if (unit.name != name) continue;
      if (number > std::numeric_limits<std::uint64_t>::max() / unit.bytes) {
        return fail(errc::out_of_range, fmt::format("'{}' is too large", text));
      }
      return number * unit.bytes;
    }
  }
  return fail(errc::malformed, fmt::format("'{}' is not a size such as 512, 64KiB, 1MiB or 20GiB",
                                           text.substr(0, kUnitTextMax)));
}

std::string format_size(std::uint64_t bytes) {
  for (const auto& [name, unit] :
       {SizeUnit{"GiB", 1_GiB}, SizeUnit{"MiB", 1_MiB}, SizeUnit{"KiB", 1_KiB}}) {
    if (bytes >= unit && bytes % unit == 0) return fmt::format("{}{}", bytes / unit, name);
  }
  return fmt::format("{}", bytes);
}

}  // namespace grapnel
