#include "surface/cli/yaml_scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "model/headers.h"
#include "model/limits.h"
#include "surface/cli/errors.h"

namespace grapnel::cli {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_digits(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_digit);
  const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

enum class NumberForm { none, whole, decimal };

/// RFC 8259 section 6.
NumberForm number_form(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::string_view whole = take_digits(text);
  if (whole.empty() || (whole.size() > 1 && whole[0] == '0')) return NumberForm::none;
  NumberForm form = NumberForm::whole;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    form = NumberForm::decimal;
    if (take_digits(text).empty()) return NumberForm::none;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    form = NumberForm::decimal;
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (take_digits(text).empty()) return NumberForm::none;
  }
  return text.empty() ? form : NumberForm::none;
}

}  // namespace

Result<boost::json::value> resolve_plain(std::string_view text) {
  if (text.empty() || text == "~" || text == "null") return boost::json::value(nullptr);
  if (text == "true") return boost::json::value(true);
  if (text == "false") return boost::json::value(false);
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto too_large = [&] {
    return fail(errc::malformed, fmt::format("the number {} is out of range; quote it if it is a "
                                             "text",
                                             text.substr(0, model::kEchoBytesMax)));
  };
  switch (number_form(text)) {
    case NumberForm::none: return boost::json::value(text);
    case NumberForm::whole: {
      std::int64_t number = 0;
      if (std::from_chars(begin, end, number).ec != std::errc{}) return too_large();
      return boost::json::value(number);
    }
    case NumberForm::decimal: {
      double number = 0;
      if (std::from_chars(begin, end, number).ec != std::errc{}) return too_large();
      return boost::json::value(number);
    }
  }
  return boost::json::value(text);
}

bool needs_quotes(std::string_view text) {
  constexpr std::array<std::string_view, 16> kWords{"",   "~",    "y",    "n",     "yes",  "no",
                                                    "on", "off",  "true", "false", "null", "=",
                                                    "<<", ".inf", ".nan", "-.inf"};
  const bool is_word = std::ranges::any_of(
      kWords, [text](std::string_view word) { return model::same_name(text, word); });
  if (is_word) return true;
  // Anything that begins like a number and holds nothing but what numbers, times and base-60
  // numbers hold.
  constexpr std::string_view kNumberLetters = "0123456789eE_+-.:TZ ";
  constexpr std::string_view kBasedLetters = "0123456789abcdefABCDEFxXoO_";
  if (!is_digit(text[0]) && text[0] != '-' && text[0] != '+' && text[0] != '.') return false;
  const std::string_view unsigned_text = text.substr(is_digit(text[0]) ? 0 : 1);
  const bool is_based = unsigned_text.size() > 1 && unsigned_text[0] == '0' &&
                        !is_digit(unsigned_text[1]) && unsigned_text[1] != '.';
  return text.find_first_not_of(kNumberLetters) == std::string_view::npos ||
         (is_based && unsigned_text.find_first_not_of(kBasedLetters) == std::string_view::npos);
}

}  // namespace grapnel::cli
