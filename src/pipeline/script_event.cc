#include "pipeline/script_event.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

#include "base/utf8.h"
#include "model/transform.h"

namespace grapnel::pipeline {
namespace {

std::string lower(std::string_view name) {
  std::string out(name);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

boost::json::object headers_of(const model::HeaderList& headers) {
  boost::json::object out;
  out.reserve(headers.size());
  for (const auto& header : headers) {
    const std::string name = lower(valid_utf8(header.name));
    const std::string value = valid_utf8(header.value);
    if (auto* known = out.if_contains(name)) {
      known->get_string().append(", ").append(value);
    } else {
      out[name] = value;
    }
  }
  return out;
}

boost::json::array actions_of(const model::SourceEntry& entry) {
  boost::json::array out;
  for (const auto& action : entry.actions) {
    const bool takes = !action->deleting && action->desired != model::DesiredState::disabled;
    if (!takes || model::is_transform(*action)) continue;
    out.push_back({{"id", action->id.str()},
                   {"name", valid_utf8(action->name)},
                   {"type", action->type},
                   {"target_url", action->target_url}});
  }
  return out;
}

}  // namespace

std::string script_event(const model::Event& event, const model::SourceEntry& entry) {
  boost::json::object out;
  out["id"] = event.id.str();
  out["type"] = valid_utf8(event.type);
  out["source"] = entry.source.slug;
  out["received_at"] = to_rfc3339(event.received);
  out["headers"] = headers_of(event.headers);
  out["actions"] = actions_of(entry);
  return boost::json::serialize(out);
}

std::optional<std::string> joined_header(const model::HeaderList& headers, std::string_view name) {
  std::optional<std::string> out;
  for (const auto& header : headers) {
    if (!model::same_name(header.name, name)) continue;
    out = out ? *out + ", " + valid_utf8(header.value) : valid_utf8(header.value);
  }
  return out;
}

}  // namespace grapnel::pipeline
