#include "pipeline/json_body.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "pipeline/limits.h"

namespace grapnel::pipeline {
namespace {

using simdjson::dom::element_type;

/// The document keeps a number's value: not whether it was written 1.50 or 1.5, 0 or -0.
bool is_written_in_many_ways(simdjson::dom::element value) {
  return value.type() == element_type::DOUBLE ||
         (value.type() == element_type::INT64 && value.get_int64().value_unsafe() == 0);
}

std::optional<std::string> scalar_text(simdjson::dom::element value) {
  switch (value.type()) {
    case element_type::STRING: return std::string(value.get_string().value_unsafe());
    case element_type::INT64: return fmt::format("{}", value.get_int64().value_unsafe());
    case element_type::UINT64: return fmt::format("{}", value.get_uint64().value_unsafe());
    case element_type::BOOL: return value.get_bool().value_unsafe() ? "true" : "false";
    default: return std::nullopt;
  }
}

/// For what simdjson gives up on although RFC 8259 allows it, numbers beyond 64 bits, and for what
/// its document does not keep.
std::optional<BodyValues> scan(std::string_view body, std::span<const std::string> pointers) {
  JsonScan scan(pointers);
  scan.add(body);
  return scan.finish();
}

}  // namespace

BodyValues read_values(std::string_view body, std::span<const std::string> pointers) {
  const auto first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || (body[first] != '{' && body[first] != '[')) return {};
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const auto error = parser.parse(body.data(), body.size()).get(root);
  if (error == simdjson::NUMBER_ERROR) return scan(body, pointers).value_or(BodyValues{});
  BodyValues values;
  if (error != simdjson::SUCCESS) return values;
  for (const std::string& pointer : pointers) {
    simdjson::dom::element value;
    if (root.at_pointer(pointer).get(value) != simdjson::SUCCESS) continue;
    if (is_written_in_many_ways(value)) return scan(body, pointers).value_or(BodyValues{});
    auto text = scalar_text(value);
    if (text && text->size() <= kPointerValueBytesMax) {
      values.emplace_back(pointer, std::move(*text));
    }
  }
  return values;
}

bool is_json(std::string_view body) {
  simdjson::dom::parser parser;
  const auto error = parser.parse(body.data(), body.size()).error();
  return error == simdjson::SUCCESS ||
         (error == simdjson::NUMBER_ERROR && scan(body, {}).has_value());
}

}  // namespace grapnel::pipeline
