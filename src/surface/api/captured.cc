#include "surface/api/captured.h"

#include <fmt/format.h>

#include "crypto/base64.h"
#include "model/json_reader.h"
#include "model/limits.h"
#include "surface/api/limits.h"

namespace grapnel::api {
namespace {

void add_header(std::string_view name, const boost::json::value& value, model::Mistakes& mistakes,
                model::HeaderList& out) {
  if (!model::is_header_name(name) || !value.is_string() ||
      !model::is_header_value(value.get_string())) {
    mistakes.add("headers", "expected names and values of headers");
    return;
  }
  out.push_back({std::string(name), std::string(value.get_string())});
}

/// An object of names and values, or a list of pairs where a name comes often.
void read_headers(model::ObjectReader& fields, model::HeaderList& out) {
  const auto* given = fields.take("headers");
  if (!given || given->is_null()) return;
  model::Mistakes& mistakes = fields.mistakes();
  if (const auto* object = given->if_object()) {
    for (const auto& field : *object) add_header(field.key(), field.value(), mistakes, out);
    return;
  }
  const auto* list = given->if_array();
  if (!list || list->size() > model::kHeadersMax) {
    mistakes.add("headers", fmt::format("expected an object, or a list of at most {} pairs",
                                        model::kHeadersMax));
    return;
  }
  for (const auto& item : *list) {
    const auto* pair = item.if_array();
    if (!pair || pair->size() != 2 || !(*pair)[0].is_string()) {
      mistakes.add("headers", "expected pairs of a name and a value");
      return;
    }
    add_header((*pair)[0].get_string(), (*pair)[1], mistakes, out);
  }
}

}  // namespace

Answer<Captured> read_captured(const boost::json::value& document) {
  model::Mistakes mistakes;
  model::ObjectReader fields(document, "", mistakes);
  Captured out;
  out.quarantined = fields.text("quarantined", 1, model::kNameBytesMax).value_or("");
  out.event = fields.text("event", 1, model::kNameBytesMax).value_or("");
  out.request.method = fields.text("method", 1, model::kNameBytesMax).value_or("POST");
  out.request.target = fields.text("url", 0, model::kHeaderBytesMax).value_or("");
  read_headers(fields, out.request.headers);
  const auto text = fields.text("body", 0, kJsonBytesMax, model::Echo::kind);
  const auto base64 = fields.text("body_base64", 0, kJsonBytesMax, model::Echo::kind);
  if (text && base64) mistakes.add("body", "give either body or body_base64");
  out.request.body = text.value_or("");
  if (base64) {
    auto bytes = crypto::base64_decode_lenient(*base64);
    if (!bytes) mistakes.add("body_base64", "expected base64");
    out.request.body = std::move(bytes).value_or("");
  }
  out.request.secure = fields.boolean("https").value_or(true);
  if (const auto at = fields.text("at", 1, model::kNameBytesMax)) {
    const auto time = parse_rfc3339(*at);
    if (!time) mistakes.add("at", "expected a time such as 2026-01-02T03:04:05Z");
    if (time) out.at = *time;
  }
  fields.finish();
  if (!out.quarantined.empty() && !out.event.empty()) {
    mistakes.add("event", "give either event or quarantined");
  }
  if (mistakes.any()) return refuse(mistakes.error().error());
  return out;
}

}  // namespace grapnel::api
