// How answers look: tables for people, JSON and YAML for programs. Colours on a terminal only, and
// never where NO_COLOR is set (no-color.org).
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "surface/cli/environment.h"

namespace grapnel::cli {

enum class Format : std::uint8_t { table, wide, json, yaml };

/// What a word says about a thing's state.
enum class Tone : std::uint8_t { plain, good, warning, bad, dim };
/// By the domain's words: delivered is good, retrying a warning, dead bad.
Tone tone_of(std::string_view word);

/// How a cell is made of a field.
enum class Cell : std::uint8_t {
  text,   ///< as it is; lists joined by commas, null is "-"
  state,  ///< the same, coloured by its word
  age,    ///< a time as "5m", "in 2h"
  size,   ///< bytes as "1.2 KiB"
};

struct Column {
  std::string_view title;
  std::string_view field;  ///< "mode", "filter.source"; "a|b": b where a is absent
  Cell cell = Cell::text;
  bool only_wide = false;
};

class Output {
 public:
  Output(const Environment& environment, Format format);

  Format format() const { return format_; }
  bool is_for_people() const { return format_ == Format::table || format_ == Format::wide; }
  Time now() const { return environment_.clock.wall(); }

  /// Rows in the chosen format. `nothing` goes to standard error when a table would be empty.
  void rows(const boost::json::array& rows, std::span<const Column> columns,
            std::string_view nothing) const;
  /// JSON or YAML.
  void document(const boost::json::value& value) const;
  void line(std::string_view text) const;
  /// What a command did: the document for programs, the sentence for people.
  void result(const boost::json::value& document, std::string_view sentence) const;
  /// To standard error: progress and remarks, which are no part of a result.
  void note(std::string_view text) const;
  std::string painted(std::string_view text, Tone tone) const;

 private:
  const Environment& environment_;
  Format format_;
  bool colours_;
};

/// Two spaces a level, keys in their order, ends with a line end.
std::string to_pretty_json(const boost::json::value& value);

/// A field by path ("timings.dns_ms"); null when it is absent.
const boost::json::value* find_field(const boost::json::value& value, std::string_view path);
/// Text of a field for a person; "" when it is absent or null.
std::string field_text(const boost::json::value& value, std::string_view path);
std::string text_of(const boost::json::value& value);

/// "5s", "3m", "2h", "4d"; "in 5m" for what is to come.
std::string age_of(Time time, Time now);
/// An RFC 3339 text with its age: "2026-01-02T03:04:05.678Z (5m ago)"; as it is when it is no time.
std::string time_with_age(std::string_view text, Time now);
/// "812 B", "1.2 KiB", "3.4 MiB".
std::string readable_size(std::uint64_t bytes);
/// Text of others, safe for a terminal: control characters become visible escapes, line ends stay
/// only where `lines` says so.
enum class LineEnds : std::uint8_t { escape, keep };
std::string printable(std::string_view text, LineEnds lines = LineEnds::escape);
/// A field's text, printable: what sentences are made of.
std::string shown(const boost::json::value& value, std::string_view path);

}  // namespace grapnel::cli
