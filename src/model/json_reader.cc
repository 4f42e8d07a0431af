#include "model/json_reader.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"
#include "model/errors.h"
#include "model/json_text.h"
#include "model/limits.h"

namespace grapnel::model {
namespace {

std::string_view kind_of(const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::null: return "null";
    case boost::json::kind::bool_: return "a boolean";
    case boost::json::kind::string: return "a text";
    case boost::json::kind::array: return "a list";
    case boost::json::kind::object: return "an object";
    default: return "a number";
  }
}

/// Edits (insert, delete, replace) that make one name of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above + 1, row[j - 1] + 1, replaced});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string_view nearest(std::string_view name, const std::vector<std::string_view>& known) {
  std::string_view best;
  std::size_t least = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const auto candidate : known) {
    const std::size_t edits = distance(name.substr(0, kNameBytesMax), candidate);
    if (edits < least) {
      least = edits;
      best = candidate;
    }
  }
  return best;
}

}  // namespace

void Mistakes::add(std::string_view path, std::string_view sentence) {
  if (lines_.size() >= kMistakesMax) return;
  lines_.push_back(path.empty() ? std::string(sentence) : fmt::format("{}: {}", path, sentence));
}

std::unexpected<Error> Mistakes::error() const {
  return fail(errc::malformed, fmt::format("{}", fmt::join(lines_, "\n")));
}

std::string describe_given(const boost::json::value& value) {
  if (value.is_array() || value.is_object()) return std::string(kind_of(value));
  std::string text = json_text(value);
  if (text.size() > kEchoBytesMax) {
    text = valid_utf8(text.substr(0, kEchoBytesMax)) + "…";
  }
  return text;
}

ObjectReader::ObjectReader(const boost::json::value& value, std::string path, Mistakes& mistakes)
    : object_(value.if_object()), path_(std::move(path)), mistakes_(mistakes) {
  if (!object_) {
    mistakes_.add(path_, fmt::format("expected an object, given {}", describe_given(value)));
  }
}

const boost::json::value* ObjectReader::take(std::string_view name) {
  known_.push_back(name);
  return object_ ? object_->if_contains(name) : nullptr;
}

std::string ObjectReader::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

void ObjectReader::expected(std::string_view name, const boost::json::value& given,
                            std::string_view what, Echo echo) {
  mistakes_.add(path_of(name),
                fmt::format("expected {}, given {}", what,
                            echo == Echo::value ? describe_given(given) : kind_of(given)));
}

void ObjectReader::not_a_choice(std::string_view name, const boost::json::value& given,
                                std::span<const std::string_view> texts) {
  expected(name, given, fmt::format("one of {}", fmt::join(texts, ", ")));
}

std::optional<std::string> ObjectReader::text(std::string_view name, std::size_t bytes_min,
                                              std::size_t bytes_max, Echo echo) {
  const boost::json::value* value = take(name);
  if (!value) return std::nullopt;
  const boost::json::string* text = value->if_string();
  if (!text) {
    expected(name, *value, "a text", echo);
    return std::nullopt;
  }
  if (text->size() < bytes_min) {
    mistakes_.add(path_of(name), "expected a text that is not empty");
    return std::nullopt;
  }
  if (text->size() > bytes_max) {
    mistakes_.add(path_of(name),
                  fmt::format("expected at most {} bytes, given {}", bytes_max, text->size()));
    return std::nullopt;
  }
  return std::string(*text);
}

std::optional<bool> ObjectReader::boolean(std::string_view name) {
  const boost::json::value* value = take(name);
  if (!value) return std::nullopt;
  if (const bool* flag = value->if_bool()) return *flag;
  expected(name, *value, "true or false");
  return std::nullopt;
}

std::optional<std::int64_t> ObjectReader::integer(std::string_view name, std::int64_t min,
                                                  std::int64_t max) {
  const boost::json::value* value = take(name);
  if (!value) return std::nullopt;
  const std::int64_t* number = value->if_int64();
  if (number && *number >= min && *number <= max) return *number;
  expected(name, *value, fmt::format("a whole number from {} to {}", min, max));
  return std::nullopt;
}

std::optional<double> ObjectReader::number(std::string_view name, double min, double max) {
  const boost::json::value* value = take(name);
  if (!value) return std::nullopt;
  if (value->is_number()) {
    const double number = value->to_number<double>();
    if (std::isfinite(number) && number >= min && number <= max) return number;
  }
  expected(name, *value, fmt::format("a number from {} to {}", min, max));
  return std::nullopt;
}

std::optional<Millis> ObjectReader::duration(std::string_view name, Millis min, Millis max) {
  const boost::json::value* value = take(name);
  if (!value) return std::nullopt;
  if (const boost::json::string* text = value->if_string()) {
    const auto parsed = parse_duration(*text);
    if (parsed && *parsed >= min && *parsed <= max) return *parsed;
  }
  expected(name, *value,
           fmt::format("a duration from {} to {} such as \"15s\" or \"1h30m\"",
                       format_duration(min), format_duration(max)));
  return std::nullopt;
}

std::optional<std::uint64_t> ObjectReader::size(std::string_view name, std::uint64_t min,
                                                std::uint64_t max) {
  const boost::json::value* value = take(name);
  if (!value) return std::nullopt;
  std::optional<std::uint64_t> bytes;
  if (const boost::json::string* text = value->if_string()) {
    if (const auto parsed = parse_size(*text)) bytes = *parsed;
  } else if (const std::int64_t* number = value->if_int64(); number && *number >= 0) {
    bytes = static_cast<std::uint64_t>(*number);
  }
  if (bytes && *bytes >= min && *bytes <= max) return bytes;
  expected(
      name, *value,
      fmt::format("a size from {} to {} such as \"64KiB\"", format_size(min), format_size(max)));
  return std::nullopt;
}

std::optional<std::vector<std::string>> ObjectReader::text_list(std::string_view name,
                                                                std::size_t count_max,
                                                                std::size_t bytes_max) {
  const boost::json::value* value = take(name);
  if (!value) return std::nullopt;
  std::vector<std::string> out;
  if (value->is_null()) return out;
  const boost::json::array* list = value->if_array();
  if (!list || list->size() > count_max) {
    expected(name, *value, fmt::format("a list of at most {} texts", count_max));
    return std::nullopt;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const boost::json::string* text = (*list)[i].if_string();
    if (text && !text->empty() && text->size() <= bytes_max && is_one_line(*text)) {
      out.emplace_back(*text);
      continue;
    }
    mistakes_.add(fmt::format("{}[{}]", path_of(name), i),
                  fmt::format("expected a text of 1 to {} bytes on one line, given {}", bytes_max,
                              describe_given((*list)[i])));
    return std::nullopt;
  }
  return out;
}

std::optional<std::optional<Place>> ObjectReader::place(std::string_view name) {
  const boost::json::value* value = take(name);
  if (!value) return std::nullopt;
  if (value->is_null()) return std::optional<Place>{};
  if (!value->is_string()) {
    expected(name, *value, "header:Name, a JSON pointer such as /id, or null");
    return std::nullopt;
  }
  auto place = parse_place(value->get_string());
  if (place) return std::optional<Place>(std::move(*place));
  mistakes_.add(path_of(name), place.error().context);
  return std::nullopt;
}

void ObjectReader::finish(std::initializer_list<std::string_view> read_only) {
  if (!object_) return;
  for (const auto& field : *object_) {
    const std::string_view name = field.key();
    if (std::ranges::find(known_, name) != known_.end()) continue;
    if (std::ranges::find(read_only, name) != read_only.end()) {
      mistakes_.add(path_of(name), "is set by Grapnel and cannot be given");
      continue;
    }
    const std::string shown = valid_utf8(name.substr(0, kEchoBytesMax));
    const std::string_view meant = nearest(name, known_);
    mistakes_.add(path_, meant.empty() ? fmt::format("unknown field '{}'", shown)
                                       : fmt::format("unknown field '{}' (did you mean '{}'?)",
                                                     shown, meant));
  }
}

bool is_one_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

std::optional<std::string> wrong_with_url(std::string_view url) {
  if (url.size() > kUrlBytesMax) {
    return fmt::format("expected at most {} bytes, given {}", kUrlBytesMax, url.size());
  }
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed) return "expected a URL such as https://example.com/hook";
  if (parsed->has_userinfo()) {
    return "expected a URL without credentials (give them as a header of the action)";
  }
  const auto scheme = parsed->scheme_id();  // known ones without regard to case
  if (scheme != boost::urls::scheme::https && scheme != boost::urls::scheme::http) {
    return fmt::format("expected an http or https URL, given {}", std::string(parsed->scheme()));
  }
  if (parsed->encoded_host().empty()) return "expected a URL with a host";
  if (parsed->has_port() && (parsed->port_number() == 0 || parsed->port().size() > 5)) {
    return "expected a port from 1 to 65535";
  }
  if (parsed->has_fragment()) return "expected a URL without a #fragment";
  return std::nullopt;
}

}  // namespace grapnel::model
