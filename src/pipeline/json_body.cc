#include "pipeline/json_body.h"

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>
#include <simdjson.h>

#include "pipeline/limits.h"

namespace grapnel::pipeline {
namespace {

/// Takes every event of a parse and keeps nothing.
struct Ignorer {
  // NOLINTBEGIN(readability-identifier-naming): the names that basic_parser asks for
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  // NOLINTEND(readability-identifier-naming)
  using Code = boost::json::error_code;
  using Text = boost::json::string_view;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t, Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(Text, std::size_t, Code&) { return true; }
  bool on_key(Text, std::size_t, Code&) { return true; }
  bool on_string_part(Text, std::size_t, Code&) { return true; }
  bool on_string(Text, std::size_t, Code&) { return true; }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t, Text, Code&) { return true; }
  bool on_uint64(std::uint64_t, Text, Code&) { return true; }
  bool on_double(double, Text, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
};

/// For what simdjson gives up on although RFC 8259 allows it: numbers beyond 64 bits.
bool is_json_with_any_numbers(std::string_view body) {
  boost::json::parse_options options;
  options.max_depth = kJsonDepthMax;
  boost::json::basic_parser<Ignorer> parser(options);
  boost::json::error_code error;
  const std::size_t used = parser.write_some(false, body.data(), body.size(), error);
  return !error && used == body.size();
}

using simdjson::dom::element_type;

std::optional<std::string> scalar_text(simdjson::dom::element value) {
  switch (value.type()) {
    case element_type::STRING: return std::string(value.get_string().value_unsafe());
    case element_type::INT64: return fmt::format("{}", value.get_int64().value_unsafe());
    case element_type::UINT64: return fmt::format("{}", value.get_uint64().value_unsafe());
    case element_type::DOUBLE: return fmt::format("{}", value.get_double().value_unsafe());
    case element_type::BOOL: return value.get_bool().value_unsafe() ? "true" : "false";
    default: return std::nullopt;
  }
}

}  // namespace

struct JsonBody::Parsed {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
};

/// A valid body with numbers that simdjson's document cannot hold: looked into without one.
struct JsonBody::Lazy {
  explicit Lazy(std::string_view body) : text(body) {}

  std::optional<std::string> scalar(std::string_view pointer) {
    simdjson::ondemand::document document;
    if (parser.iterate(text).get(document) != simdjson::SUCCESS) return std::nullopt;
    simdjson::ondemand::value value;
    if (document.at_pointer(pointer).get(value) != simdjson::SUCCESS) return std::nullopt;
    simdjson::ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return std::nullopt;
    if (type == simdjson::ondemand::json_type::string) {
      std::string_view found;
      if (value.get_string().get(found) != simdjson::SUCCESS) return std::nullopt;
      return std::string(found);
    }
    if (type != simdjson::ondemand::json_type::number &&
        type != simdjson::ondemand::json_type::boolean) {
      return std::nullopt;
    }
    std::string_view token = value.raw_json_token();
    return std::string(token.substr(0, token.find_last_not_of(" \t\r\n") + 1));
  }

  simdjson::padded_string text;
  simdjson::ondemand::parser parser;
};

JsonBody::JsonBody(std::string_view body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || (body[first] != '{' && body[first] != '[')) return;
  auto parsed = std::make_unique<Parsed>();
  const auto error = parsed->parser.parse(body.data(), body.size()).get(parsed->root);
  if (error == simdjson::SUCCESS) {
    parsed_ = std::move(parsed);
  } else if (error == simdjson::NUMBER_ERROR && is_json_with_any_numbers(body)) {
    lazy_ = std::make_unique<Lazy>(body);
  }
}

JsonBody::~JsonBody() = default;

bool JsonBody::valid() const { return parsed_ != nullptr || lazy_ != nullptr; }

std::optional<std::string> JsonBody::scalar(std::string_view pointer) const {
  std::optional<std::string> text;
  if (lazy_) {
    text = lazy_->scalar(pointer);
  } else if (simdjson::dom::element value;
             parsed_ && parsed_->root.at_pointer(pointer).get(value) == simdjson::SUCCESS) {
    text = scalar_text(value);
  }
  if (text && text->size() > kPointerValueBytesMax) return std::nullopt;
  return text;
}

bool is_json(std::string_view body) {
  simdjson::dom::parser parser;
  const auto error = parser.parse(body.data(), body.size()).error();
  return error == simdjson::SUCCESS ||
         (error == simdjson::NUMBER_ERROR && is_json_with_any_numbers(body));
}

}  // namespace grapnel::pipeline
