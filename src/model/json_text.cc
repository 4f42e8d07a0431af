#include "model/json_text.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <iterator>

namespace grapnel::model {
namespace {

void append(const boost::json::value& value, std::string& out) {
  if (const auto* object = value.if_object()) {
    char before = '{';
    for (const auto& [key, field] : *object) {
      out += before;
      out += boost::json::serialize(key);
      out += ':';
      append(field, out);
      before = ',';
    }
    out += object->empty() ? "{}" : "}";
  } else if (const auto* array = value.if_array()) {
    char before = '[';
    for (const auto& item : *array) {
      out += before;
      append(item, out);
      before = ',';
    }
    out += array->empty() ? "[]" : "]";
  } else if (value.is_double()) {
    fmt::format_to(std::back_inserter(out), "{}", value.get_double());
  } else {
    out += boost::json::serialize(value);
  }
}

}  // namespace

std::string json_text(const boost::json::value& value) {
  std::string out;
  append(value, out);
  return out;
}

}  // namespace grapnel::model
