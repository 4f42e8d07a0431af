#include "telemetry/log_entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/utf8.h"
#include "telemetry/escape.h"
#include "telemetry/limits.h"

namespace grapnel::telemetry {
namespace {

constexpr std::array<std::string_view, 5> kLevels = {"debug", "info", "warn", "error", "off"};
constexpr std::array<std::string_view, 5> kLevelsInText = {"DEBUG", "INFO ", "WARN ", "ERROR", ""};
constexpr std::string_view kCutMark = "\xe2\x80\xa6";  // …

/// Whether a value needs no quotes in the text form.
bool is_plain(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
  });
}

void append_string(std::string& out, LogFormat format, std::string_view text) {
  const std::string_view kept = cut_utf8(text, kLogValueBytesMax);
  if (format == LogFormat::text && kept.size() == text.size() && is_plain(kept)) {
    out += kept;
    return;
  }
  out += '"';
  append_escaped(out, kept);
  if (kept.size() < text.size()) out += kCutMark;
  out += '"';
}

void append_value(std::string& out, LogFormat format, const Field::Value& value) {
  if (const auto* view = std::get_if<std::string_view>(&value)) {
    append_string(out, format, *view);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    append_string(out, format, *text);
  } else if (const auto* number = std::get_if<double>(&value)) {
    if (std::isfinite(*number)) {
      fmt::format_to(std::back_inserter(out), "{}", *number);
    } else {
      out += "null";
    }
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* count = std::get_if<std::uint64_t>(&value)) {
    fmt::format_to(std::back_inserter(out), "{}", *count);
  } else {
    fmt::format_to(std::back_inserter(out), "{}", std::get<std::int64_t>(value));
  }
}

}  // namespace

std::optional<Level> parse_level(std::string_view text) {
  const auto found = std::ranges::find(kLevels, text);
  if (found == kLevels.end()) return std::nullopt;
  return static_cast<Level>(found - kLevels.begin());
}

std::string_view to_string(Level level) { return kLevels[std::to_underlying(level)]; }

std::string format_entry(LogFormat format, Time time, Level level, std::string_view message,
                         Fields fields) {
  const std::string_view kept = cut_utf8(message, kLogValueBytesMax);
  std::string out;
  out.reserve(160 + kept.size());
  if (format == LogFormat::json) {
    fmt::format_to(std::back_inserter(out), R"({{"time":"{}","level":"{}","message":)",
                   to_rfc3339(time), to_string(level));
    append_string(out, format, message);
  } else {
    fmt::format_to(std::back_inserter(out), "{} {} ", to_rfc3339(time),
                   kLevelsInText[std::to_underlying(level)]);
    append_escaped(out, kept);
    if (kept.size() < message.size()) out += kCutMark;
  }
  for (const Field& field : fields) {
    out += format == LogFormat::json ? ',' : ' ';
    append_string(out, format, field.name());
    out += format == LogFormat::json ? ':' : '=';
    append_value(out, format, field.value());
  }
  if (format == LogFormat::json) out += '}';
  out += '\n';
  return out;
}

}  // namespace grapnel::telemetry
