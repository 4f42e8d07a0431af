#include "surface/api/views.h"

#include "base/utf8.h"
#include "crypto/base64.h"
#include "model/json_text.h"
#include "model/texts.h"
#include "pipeline/json_body.h"
#include "surface/api/limits.h"

namespace grapnel::api {
namespace {

namespace json = boost::json;

std::string slug_of(model::SourceId id, const model::RegistrySnapshot& snapshot) {
  const auto entry = snapshot.find_source(id);
  return entry ? entry->source.slug : std::string();
}

/// The original's form: one value a name, repeated ones joined as RFC 9110 section 5.3 allows.
json::object header_object(const model::HeaderList& headers) {
  json::object out;
  for (const auto& header : headers) {
    const std::string name = valid_utf8(header.name);
    const std::string value = model::shown_value(header);
    json::value& place = out[name];
    if (place.is_string()) {
      place.get_string().append(", ").append(value);
    } else {
      place = value;
    }
  }
  return out;
}

}  // namespace

json::array header_pairs(const model::HeaderList& headers) {
  json::array out;
  for (const auto& header : headers) {
    out.push_back(json::array{valid_utf8(header.name), model::shown_value(header)});
  }
  return out;
}

json::object event_view(const model::Event& event, const model::RegistrySnapshot& snapshot,
                        model::Detail detail) {
  return model::to_json(event, slug_of(event.source, snapshot), detail);
}

json::object delivery_view(const model::Delivery& delivery,
                           const model::RegistrySnapshot& snapshot) {
  json::object out = model::to_json(delivery);
  if (const auto slug = slug_of(delivery.source, snapshot); !slug.empty()) out["source"] = slug;
  if (const auto action = snapshot.find_action(delivery.action)) {
    out["action"] = valid_utf8(action->name);
  }
  return out;
}

json::object job_view(const model::ReplayJob& job, const model::RegistrySnapshot& snapshot) {
  json::object out = model::to_json(job);
  auto* filter = out.at("filter").if_object();
  if (filter && job.filter.source) {
    if (const auto slug = slug_of(*job.filter.source, snapshot); !slug.empty()) {
      (*filter)["source"] = slug;
    }
  }
  return out;
}

json::object key_view(const model::ApiKey& key, const model::RegistrySnapshot& snapshot) {
  json::object out = model::to_json(key);
  json::array sources;
  for (const auto& id : key.sources) {
    const auto slug = slug_of(id, snapshot);
    sources.emplace_back(slug.empty() ? id.str() : slug);
  }
  out["sources"] = std::move(sources);
  return out;
}

std::string relay_delivery_text(const model::Event& event,
                                const model::RegistrySnapshot& snapshot) {
  json::object out = event_view(event, snapshot, model::Detail::summary);
  out["event_id"] = event.id.str();
  out["headers"] = header_object(event.headers);
  out["header_list"] = header_pairs(event.headers);
  out["payload_url"] = "/api/events/" + event.id.str() + "/body";
  const std::string_view body = event.body;
  const bool is_shown = event.body_size <= kPayloadShownBytesMax;
  if (!is_shown || !pipeline::is_json(body)) {
    out["payload"] = nullptr;
    if (is_shown) out["payload_base64"] = crypto::base64_encode(body);
    return model::json_text(out);
  }
  // As it came: a parser in between would round numbers and drop repeated names.
  std::string text = model::json_text(out);
  text.pop_back();
  text += ",\"payload\":";
  text += body;
  text += '}';
  return text;
}

}  // namespace grapnel::api
