// One entry of the log: level, message and typed fields, and its line as JSON or text.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"

namespace grapnel::telemetry {

enum class Level : std::uint8_t { debug, info, warn, error, off };
enum class LogFormat : std::uint8_t { json, text };

/// "debug", "info", "warn", "error", "off"; not set for anything else.
std::optional<Level> parse_level(std::string_view text);
std::string_view to_string(Level level);

/// What has a text form of its own, as ids do.
template <class T>
concept HasText = requires(const T& value) {
  { value.str() } -> std::same_as<std::string>;
};

/// A name and a value. Borrows its name and string value, so it lives only as an argument of a
/// call.
class Field {
 public:
  using Value =
      std::variant<std::string_view, std::string, std::int64_t, std::uint64_t, double, bool>;

  template <std::convertible_to<std::string_view> T>
  Field(std::string_view name, const T& text) : name_(name), value_(std::string_view(text)) {}
  template <HasText T>
  Field(std::string_view name, const T& id) : name_(name), value_(id.str()) {}
  template <std::signed_integral T>
  Field(std::string_view name, T number) : name_(name), value_(std::int64_t{number}) {}
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  Field(std::string_view name, T number) : name_(name), value_(std::uint64_t{number}) {}
  template <std::floating_point T>
  Field(std::string_view name, T number) : name_(name), value_(static_cast<double>(number)) {}
  template <std::same_as<bool> T>
  Field(std::string_view name, T flag) : name_(name), value_(flag) {}

  std::string_view name() const { return name_; }
  const Value& value() const { return value_; }

 private:
  std::string_view name_;
  Value value_;
};
using Fields = std::initializer_list<Field>;

/// The line with its newline:
///   {"time":"2026-01-02T03:04:05.678Z","level":"warn","message":"attempt failed","status":503}
///   2026-01-02T03:04:05.678Z WARN  attempt failed status=503
/// Invalid UTF-8 and control characters cannot break it; a string above kLogValueBytesMax is cut; a
/// number that JSON does not know (NaN) is null.
std::string format_entry(LogFormat format, Time time, Level level, std::string_view message,
                         Fields fields);

}  // namespace grapnel::telemetry
