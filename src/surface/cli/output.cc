#include "surface/cli/output.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/units.h"
#include "base/utf8.h"
#include "model/json_text.h"
#include "model/texts.h"
#include "surface/cli/limits.h"
#include "surface/cli/yaml_writer.h"

namespace grapnel::cli {
namespace {

constexpr std::string_view kReset = "\x1b[0m";

std::string_view colour_of(Tone tone) {
  switch (tone) {
    case Tone::plain: return "";
    case Tone::good: return "\x1b[32m";
    case Tone::warning: return "\x1b[33m";
    case Tone::bad: return "\x1b[31m";
    case Tone::dim: return "\x1b[2m";
  }
  return "";
}

/// Code points, which is the width of all texts of ours.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string cut_to(std::string text, std::size_t width) {
  if (width_of(text) <= width) return text;
  std::size_t end = 0;
  for (std::size_t count = 0; end < text.size(); ++end) {
    if ((text[end] & 0xc0) == 0x80) continue;
    if (++count == width) break;
  }
  return text.substr(0, end) + "…";
}

/// Bytes of the mark of writing direction that the text begins with (U+200E, U+200F, U+202A to
/// U+202E, U+2066 to U+2069), which would show a line in another order; else 0.
std::size_t direction_mark(std::string_view text) {
  if (text.size() < 3 || text[0] != '\xe2') return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const auto third = static_cast<unsigned char>(text[2]);
  const bool is_mark = (second == 0x80 && (third == 0x8e || third == 0x8f)) ||
                       (second == 0x80 && third >= 0xaa && third <= 0xae) ||
                       (second == 0x81 && third >= 0xa6 && third <= 0xa9);
  return is_mark ? 3 : 0;
}

/// A JSON text safe for a terminal: DEL and U+0080 to U+009F, which some terminals obey, as \u
/// escapes, which mean the same in JSON.
std::string escaped_controls(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto c = static_cast<unsigned char>(json[i]);
    const unsigned next = i + 1 < json.size() ? static_cast<unsigned char>(json[i + 1]) : 0xff;
    if (c == 0x7f) {
      out += "\\u007f";
    } else if (c == 0xc2 && next < 0xa0) {
      out += fmt::format("\\u{:04x}", next);
      ++i;
    } else {
      out += json[i];
    }
  }
  return out;
}

void append_pretty(const boost::json::value& value, int depth, std::string& out) {
  const std::string inner(static_cast<std::size_t>(depth + 1) * 2, ' ');
  const std::string outer(static_cast<std::size_t>(depth) * 2, ' ');
  if (const auto* fields = value.if_object(); fields && !fields->empty()) {
    out += "{\n";
    std::size_t left = fields->size();
    for (const auto& field : *fields) {
      out += inner + boost::json::serialize(field.key()) + ": ";
      append_pretty(field.value(), depth + 1, out);
      out += --left > 0 ? ",\n" : "\n";
    }
    out += outer + "}";
  } else if (const auto* items = value.if_array(); items && !items->empty()) {
    out += "[\n";
    std::size_t left = items->size();
    for (const auto& item : *items) {
      out += inner;
      append_pretty(item, depth + 1, out);
      out += --left > 0 ? ",\n" : "\n";
    }
    out += outer + "]";
  } else {
    out += model::json_text(value);
  }
}

const boost::json::value* find_alternative(const boost::json::value& value,
                                           std::string_view field) {
  while (!field.empty()) {
    const std::string_view path = field.substr(0, field.find('|'));
    field.remove_prefix(std::min(field.size(), path.size() + 1));
    const auto* found = find_field(value, path);
    if (found && !found->is_null()) return found;
  }
  return nullptr;
}

std::string cell_text(const boost::json::value& row, const Column& column, Time now) {
  const auto* value = find_alternative(row, column.field);
  if (!value) return "-";
  if (column.cell == Cell::age && value->is_string()) {
    const auto time = parse_rfc3339(value->get_string());
    if (time) return age_of(*time, now);
  }
  if (column.cell == Cell::size && value->is_int64() && value->get_int64() >= 0) {
    return readable_size(static_cast<std::uint64_t>(value->get_int64()));
  }
  std::string text = printable(text_of(*value));
  return text.empty() ? "-" : text;
}

}  // namespace

Tone tone_of(std::string_view word) {
  constexpr std::array<std::string_view, 9> kGood{"delivered", "done",     "ok",
                                                  "succeeded", "accepted", "active",
                                                  "created",   "recorded", "running"};
  constexpr std::array<std::string_view, 11> kWarning{
      "retrying",  "failing", "resting", "paused",  "held",       "unknown",
      "duplicate", "changed", "pending", "waiting", "handed_back"};
  constexpr std::array<std::string_view, 6> kBad{"dead",     "failed", "gone",
                                                 "disabled", "bad",    "deleted"};
  if (std::ranges::find(kGood, word) != kGood.end()) return Tone::good;
  if (std::ranges::find(kWarning, word) != kWarning.end()) return Tone::warning;
  if (std::ranges::find(kBad, word) != kBad.end()) return Tone::bad;
  return Tone::plain;
}

Output::Output(const Environment& environment, Format format)
    : environment_(environment), format_(format) {
  const auto no_color = environment.variable("NO_COLOR");
  colours_ = environment.out_is_terminal && (!no_color || no_color->empty()) &&
             environment.variable("TERM").value_or("") != "dumb";
}

void Output::rows(const boost::json::array& rows, std::span<const Column> columns,
                  std::string_view nothing) const {
  if (!is_for_people()) return document(rows);
  if (rows.empty()) return note(nothing);
  const bool wide = format_ == Format::wide;
  std::vector<Column> shown;
  std::ranges::copy_if(columns, std::back_inserter(shown),
                       [wide](const Column& column) { return wide || !column.only_wide; });
  std::vector<std::vector<std::string>> cells(1);
  for (const auto& column : shown) cells[0].emplace_back(column.title);
  for (const auto& row : rows) {
    auto& line_cells = cells.emplace_back();
    for (const auto& column : shown) {
      std::string text = cell_text(row, column, now());
      line_cells.push_back(wide ? std::move(text) : cut_to(std::move(text), kCellMax));
    }
  }
  std::vector<std::size_t> widths(shown.size());
  for (const auto& line_cells : cells) {
    for (std::size_t i = 0; i < shown.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(line_cells[i]));
    }
  }
  for (std::size_t r = 0; r < cells.size(); ++r) {
    std::string text;
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const std::string& cell = cells[r][i];
      const Tone tone =
          r == 0 ? Tone::dim : (shown[i].cell == Cell::state ? tone_of(cell) : Tone::plain);
      text += painted(cell, tone);
      if (i + 1 < shown.size()) text.append(widths[i] - width_of(cell) + 3, ' ');
    }
    line(text);
  }
}

void Output::document(const boost::json::value& value) const {
  environment_.out(format_ == Format::yaml ? to_yaml(value) : to_pretty_json(value));
}

void Output::line(std::string_view text) const { environment_.out(fmt::format("{}\n", text)); }

void Output::result(const boost::json::value& document, std::string_view sentence) const {
  if (is_for_people()) {
    line(sentence);
  } else {
    this->document(document);
  }
}

void Output::note(std::string_view text) const { environment_.err(fmt::format("{}\n", text)); }

std::string Output::painted(std::string_view text, Tone tone) const {
  const std::string_view colour = colours_ ? colour_of(tone) : "";
  if (colour.empty()) return std::string(text);
  return fmt::format("{}{}{}", colour, text, kReset);
}

std::string to_pretty_json(const boost::json::value& value) {
  std::string out;
  append_pretty(value, 0, out);
  out += '\n';
  return escaped_controls(out);
}

const boost::json::value* find_field(const boost::json::value& value, std::string_view path) {
  const boost::json::value* at = &value;
  while (!path.empty()) {
    const auto* fields = at->if_object();
    if (!fields) return nullptr;
    const std::string_view name = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    at = fields->if_contains(name);
    if (!at) return nullptr;
  }
  return at;
}

std::string text_of(const boost::json::value& value) {
  if (value.is_null()) return "";
  if (const auto* text = value.if_string()) return std::string(*text);
  if (const auto* items = value.if_array()) {
    std::string out;
    for (const auto& item : *items) {
      if (!out.empty()) out += ", ";
      out += text_of(item);
    }
    return out;
  }
  if (const auto* fields = value.if_object()) {
    std::string out;
    for (const auto& field : *fields) {
      const std::string text = text_of(field.value());
      if (text.empty()) continue;
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", std::string_view(field.key()), text);
    }
    return out;
  }
  return model::json_text(value);
}

std::string field_text(const boost::json::value& value, std::string_view path) {
  const auto* found = find_field(value, path);
  return found ? text_of(*found) : "";
}

std::string age_of(Time time, Time now) {
  const bool ahead = time > now;
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(ahead ? time - now : now - time).count();
  std::string text;
  if (seconds < 120) {
    text = fmt::format("{}s", seconds);
  } else if (seconds < 120 * 60) {
    text = fmt::format("{}m", seconds / 60);
  } else if (seconds < 48 * 3600) {
    text = fmt::format("{}h", seconds / 3600);
  } else {
    text = fmt::format("{}d", seconds / 86'400);
  }
  return ahead ? "in " + text : text;
}

std::string time_with_age(std::string_view text, Time now) {
  const auto time = parse_rfc3339(text);
  if (!time) return std::string(text);
  const std::string age = age_of(*time, now);
  return *time > now ? fmt::format("{} ({})", text, age) : fmt::format("{} ({} ago)", text, age);
}

std::string readable_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 3> kUnits{"KiB", "MiB", "GiB"};
  if (bytes < 1_KiB) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string printable(std::string_view text, LineEnds lines) {
  std::string out;
  const std::string valid = valid_utf8(text);
  for (std::size_t i = 0; i < valid.size(); ++i) {
    const auto c = static_cast<unsigned char>(valid[i]);
    const bool kept = lines == LineEnds::keep && (c == '\n' || c == '\t');
    // U+0080 to U+009F are control characters, too: some terminals obey them.
    const bool is_c1 =
        c == 0xc2 && i + 1 < valid.size() && static_cast<unsigned char>(valid[i + 1]) < 0xa0;
    if (const std::size_t bytes = direction_mark(std::string_view(valid).substr(i)); bytes > 0) {
      for (const char byte : std::string_view(valid).substr(i, bytes)) {
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
      }
      i += bytes - 1;
    } else if (is_c1) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(valid[++i]));
    } else if ((c < ' ' || c == 0x7f) && !kept) {
      out += c == '\n' ? "\\n" : fmt::format("\\x{:02x}", c);
    } else {
      out += valid[i];
    }
  }
  return out;
}

std::string shown(const boost::json::value& document, std::string_view path) {
  return printable(field_text(document, path));
}

}  // namespace grapnel::cli
