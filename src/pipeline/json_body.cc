#include "pipeline/json_body.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "pipeline/limits.h"

namespace grapnel::pipeline {

struct JsonBody::Parsed {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
};

JsonBody::JsonBody(std::string_view body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || (body[first] != '{' && body[first] != '[')) return;
  auto parsed = std::make_unique<Parsed>();
  if (parsed->parser.parse(body.data(), body.size()).get(parsed->root) != simdjson::SUCCESS) return;
  parsed_ = std::move(parsed);
}

JsonBody::~JsonBody() = default;

bool JsonBody::valid() const { return parsed_ != nullptr; }

std::optional<std::string> JsonBody::scalar(std::string_view pointer) const {
  if (parsed_ == nullptr) return std::nullopt;
  simdjson::dom::element value;
  if (parsed_->root.at_pointer(pointer).get(value) != simdjson::SUCCESS) return std::nullopt;
  switch (value.type()) {
    case simdjson::dom::element_type::STRING: {
      const std::string_view text = value.get_string().value_unsafe();
      if (text.size() > kPointerValueBytesMax) return std::nullopt;
      return std::string(text);
    }
    case simdjson::dom::element_type::INT64:
      return fmt::format("{}", value.get_int64().value_unsafe());
    case simdjson::dom::element_type::UINT64:
      return fmt::format("{}", value.get_uint64().value_unsafe());
    case simdjson::dom::element_type::DOUBLE:
      return fmt::format("{}", value.get_double().value_unsafe());
    case simdjson::dom::element_type::BOOL:
      return value.get_bool().value_unsafe() ? "true" : "false";
    default: return std::nullopt;
  }
}

bool is_json(std::string_view body) {
  simdjson::dom::parser parser;
  return parser.parse(body.data(), body.size()).error() == simdjson::SUCCESS;
}

}  // namespace grapnel::pipeline
