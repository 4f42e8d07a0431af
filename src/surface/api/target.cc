#include "surface/api/target.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hex.h"
#include "base/utf8.h"
#include "model/errors.h"
#include "model/headers.h"
#include "model/limits.h"
#include "model/texts.h"
#include "surface/api/limits.h"

namespace grapnel::api {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

bool starts_with_scheme(std::string_view target, std::string_view scheme) {
  return target.size() >= scheme.size() &&
         model::same_name(target.substr(0, scheme.size()), scheme);
}

std::optional<std::string> decode_parameter(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return percent_decode(spaced);
}

}  // namespace

TargetParts split_target(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!starts_with_scheme(target, scheme)) continue;
    target.remove_prefix(scheme.size());
    const auto path = target.find_first_of("/?");
    if (path == std::string_view::npos || target[path] == '?') return {"/", {}};
    target.remove_prefix(path);
    break;
  }
  if (target.empty() || target.front() != '/') return {};
  const auto mark = target.find('?');
  if (mark == std::string_view::npos) return {target, {}};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const auto escaped = percent_escape(text.substr(i));
      if (!escaped) return std::nullopt;
      c = *escaped;
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
    out.push_back(c);
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Result<Query> Query::parse(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const auto pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = decode_parameter(pair.substr(0, equals));
    auto value = decode_parameter(equals < pair.size() ? pair.substr(equals + 1) : "");
    if (!name || !value) {
      return fail(model::errc::malformed, "the query has a broken percent escape");
    }
    if (query.find(*name)) {
      return fail(model::errc::malformed,
                  fmt::format("query parameter '{}' is given twice",
                              valid_utf8(name->substr(0, model::kEchoBytesMax))));
    }
    if (query.parameters_.size() == kQueryParametersMax) {
      return fail(model::errc::malformed,
                  fmt::format("more than {} query parameters", kQueryParametersMax));
    }
    query.parameters_.emplace_back(std::move(*name), std::move(*value));
  }
  return query;
}

std::optional<std::string_view> Query::find(std::string_view name) const {
  for (const auto& [known, value] : parameters_) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> Query::first_not_in(std::string_view names) const {
  for (const auto& [name, value] : parameters_) {
    bool known = false;
    for (auto rest = names; !rest.empty() && !known;) {
      const auto word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
      known = word == name;
    }
    if (!known) return name;
  }
  return std::nullopt;
}

std::string Query::with(std::string_view name, std::string_view value) const {
  std::string out;
  const auto add = [&out](std::string_view key, std::string_view text) {
    if (!out.empty()) out += '&';
    out += percent_encode(key);
    out += '=';
    out += percent_encode(text);
  };
  for (const auto& [known, text] : parameters_) {
    if (known != name) add(known, text);
  }
  add(name, value);
  return out;
}

}  // namespace grapnel::api
