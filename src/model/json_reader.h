// Strict reading of JSON documents that people write: every mistake is one line (where, what is
// expected, what was given), all of them are gathered, unknown fields are named with the nearest
// known one.
//
//   Mistakes mistakes;
//   ObjectReader fields(value, "retry", mistakes);
//   const auto cap = fields.duration("cap", kMin, kMax);
//   fields.finish();
//   if (mistakes.any()) return mistakes.error();
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/source.h"
#include "model/texts.h"

namespace grapnel::model {

class Mistakes {
 public:
  /// "path: sentence", or the sentence alone for the document itself.
  void add(std::string_view path, std::string_view sentence);
  bool any() const { return !lines_.empty(); }
  /// malformed; its context holds one line a mistake, at most kMistakesMax of them.
  std::unexpected<Error> error() const;

 private:
  std::vector<std::string> lines_;
};

/// What was given, short enough for a sentence: `"text"`, `42`, `null`, `a list`, `an object`.
std::string describe_given(const boost::json::value& value);

/// Whether a wrong value may be repeated in the mistake's sentence.
enum class Echo : std::uint8_t { value, kind };

class ObjectReader {
 public:
  /// `path` is "" for the document itself. A value that is not an object is a mistake and reads as
  /// empty. The value and `mistakes` outlive the reader.
  ObjectReader(const boost::json::value& value, std::string path, Mistakes& mistakes);

  /// The field's value, or null. Marks the name as known.
  const boost::json::value* take(std::string_view name);
  std::string path_of(std::string_view name) const;
  Mistakes& mistakes() { return mistakes_; }

  /// These return nothing when the field is absent or wrong (then a mistake is noted).
  std::optional<std::string> text(std::string_view name, std::size_t bytes_min,
                                  std::size_t bytes_max, Echo echo = Echo::value);
  std::optional<bool> boolean(std::string_view name);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max);
  std::optional<double> number(std::string_view name, double min, double max);
  std::optional<Millis> duration(std::string_view name, Millis min, Millis max);
  /// Bytes as text ("1MiB") or as a number.
  std::optional<std::uint64_t> size(std::string_view name, std::uint64_t min, std::uint64_t max);
  /// A list of texts; null reads as an empty one.
  std::optional<std::vector<std::string>> text_list(std::string_view name, std::size_t count_max,
                                                    std::size_t bytes_max);
  /// The inner optional is empty for null: back to the default.
  std::optional<std::optional<Place>> place(std::string_view name);

  template <class Enum>
  std::optional<Enum> choice(std::string_view name) {
    const boost::json::value* value = take(name);
    if (!value) return std::nullopt;
    if (value->is_string()) {
      if (const auto found = from_text<Enum>(value->get_string())) return found;
    }
    not_a_choice(name, *value, texts_of<Enum>());
    return std::nullopt;
  }

  /// Notes each field that was never taken; those of `read_only` get a sentence of their own.
  void finish(std::initializer_list<std::string_view> read_only = {});

 private:
  void expected(std::string_view name, const boost::json::value& given, std::string_view what,
                Echo echo = Echo::value);
  void not_a_choice(std::string_view name, const boost::json::value& given,
                    std::span<const std::string_view> texts);

  const boost::json::object* object_ = nullptr;
  std::string path_;
  Mistakes& mistakes_;
  std::vector<std::string_view> known_;
};

/// Whether the text is free of control characters (a name, a pattern, one line).
bool is_one_line(std::string_view text);

/// http or https with a host, no credentials and no fragment, at most kUrlBytesMax; otherwise what
/// is wrong.
std::optional<std::string> wrong_with_url(std::string_view url);

}  // namespace grapnel::model
