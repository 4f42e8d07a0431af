#include "model/catalog.h"

#include <fmt/format.h>

#include <charconv>

#include "model/errors.h"

namespace grapnel::model {
namespace {

Result<std::int64_t> parse_hex(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
    return fail(errc::malformed, "the cursor is not one that a list gave");
  }
  return static_cast<std::int64_t>(value);
}

}  // namespace

std::string Cursor::str() const {
  return fmt::format("{}{:x}-{:x}", list, static_cast<std::uint64_t>(generation),
                     static_cast<std::uint64_t>(seq));
}

Result<Cursor> Cursor::parse(std::string_view text) {
  const auto dash = text.find('-');
  if (text.size() < 4 || dash == std::string_view::npos || dash < 2) {
    return fail(errc::malformed, "the cursor is not one that a list gave");
  }
  const auto generation = parse_hex(text.substr(1, dash - 1));
  if (!generation) return std::unexpected(generation.error());
  const auto seq = parse_hex(text.substr(dash + 1));
  if (!seq) return std::unexpected(seq.error());
  return Cursor{.generation = *generation, .list = text[0], .seq = *seq};
}

}  // namespace grapnel::model
