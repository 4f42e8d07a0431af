// Event type rules: the matcher agrees with a plain table of what matches what.
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "model/action.h"

namespace {

/// Row by row: whether the first p characters of the pattern match the first t of the text.
bool matches_by_table(std::string_view pattern, std::string_view text) {
  std::vector<char> row(text.size() + 1, 0);
  row[0] = 1;
  for (const char c : pattern) {
    std::vector<char> next(text.size() + 1, 0);
    next[0] = static_cast<char>(c == '*' && row[0]);
    for (std::size_t t = 1; t <= text.size(); ++t) {
      next[t] =
          static_cast<char>(c == '*' ? (row[t] || next[t - 1]) : (row[t - 1] && text[t - 1] == c));
    }
    row = std::move(next);
  }
  return row.back() != 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data),
                               std::min<std::size_t>(size, 512));
  const auto end = std::min(input.find('\n'), input.size());
  const std::string_view pattern = input.substr(0, end);
  const std::string_view text = input.substr(std::min(end + 1, input.size()));
  GRAPNEL_CHECK(grapnel::model::matches_pattern(pattern, text) == matches_by_table(pattern, text));
  return 0;
}
