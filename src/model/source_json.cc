#include "model/source_json.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "model/errors.h"
#include "model/headers.h"
#include "model/json_reader.h"
#include "model/limits.h"
#include "model/script_json.h"
#include "model/texts.h"

namespace grapnel::model {
namespace {

boost::json::value place_or_null(const std::optional<Place>& place) {
  if (!place) return nullptr;
  return boost::json::value(to_text(*place));
}

boost::json::array list_of(const std::vector<std::string>& texts) {
  boost::json::array out;
  for (const auto& text : texts) out.emplace_back(text);
  return out;
}

std::optional<std::string> take_slug(ObjectReader& fields) {
  auto slug = fields.text("slug", 1, kSlugBytesMax);
  if (slug && !is_slug(*slug)) {
    fields.mistakes().add(
        fields.path_of("slug"),
        fmt::format("expected 1 to {} of a-z, 0-9 and '-', not at the ends, given \"{}\"",
                    kSlugBytesMax, valid_utf8(*slug)));
    return std::nullopt;
  }
  return slug;
}

std::optional<std::string> take_name(ObjectReader& fields) {
  auto name = fields.text("name", 1, kNameBytesMax);
  if (name && !is_one_line(*name)) {
    fields.mistakes().add(fields.path_of("name"), "expected a text on one line");
    return std::nullopt;
  }
  return name;
}

std::optional<std::optional<std::vector<Place>>> take_idempotency(ObjectReader& fields) {
  const boost::json::value* value = fields.take("idempotency");
  if (!value) return std::nullopt;
  if (value->is_null()) return std::optional<std::vector<Place>>{};
  const std::string path = fields.path_of("idempotency");
  const boost::json::array* list = value->if_array();
  if (!list || list->size() > kPlacesMax) {
    fields.mistakes().add(path,
                          fmt::format("expected a list of at most {} places (header:Name or a JSON "
                                      "pointer such as /id) or null, given {}",
                                      kPlacesMax, describe_given(*value)));
    return std::nullopt;
  }
  std::vector<Place> places;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const boost::json::string* text = (*list)[i].if_string();
    auto place = text ? parse_place(*text)
                      : fail(errc::malformed,
                             fmt::format("expected a text such as header:X-Id or /id, given {}",
                                         describe_given((*list)[i])));
    if (!place) {
      fields.mistakes().add(fmt::format("{}[{}]", path, i), place.error().context);
      continue;
    }
    places.push_back(std::move(*place));
  }
  return std::optional<std::vector<Place>>(std::move(places));
}

std::optional<RateLimit> take_rate_limit(ObjectReader& fields) {
  const boost::json::value* value = fields.take("rate_limit");
  if (!value) return std::nullopt;
  if (value->is_null()) return RateLimit{};
  ObjectReader inner(*value, fields.path_of("rate_limit"), fields.mistakes());
  RateLimit limit;
  limit.per_second = inner.number("per_second", 0, kRatePerSecondMax).value_or(0);
  limit.burst = inner.number("burst", 0, kRatePerSecondMax).value_or(0);
  inner.finish();
  return limit;
}

/// A secret header's value is never stored, so no key and no type can be read from it.
std::optional<std::string> secret_place(const Source& source) {
  const auto wrong = [&source](std::string_view field, const Place& place) {
    const bool secret = place.kind == Place::Kind::header && is_secret_header(source, place.name);
    return secret ? std::optional(fmt::format("{}: {} is one of the source's secret headers, whose "
                                              "values are never stored; name another place",
                                              field, place.name))
                  : std::nullopt;
  };
  if (source.event_type) {
    if (auto text = wrong("event_type", *source.event_type)) return text;
  }
  if (source.ordering_key) {
    if (auto text = wrong("ordering_key", *source.ordering_key)) return text;
  }
  if (!source.idempotency) return std::nullopt;
  for (const Place& place : *source.idempotency) {
    if (auto text = wrong("idempotency", place)) return text;
  }
  return std::nullopt;
}

std::optional<std::string> take_public_url(ObjectReader& fields) {
  auto url = fields.text("public_url", 0, kUrlBytesMax);
  if (url && !url->empty()) {
    if (const auto wrong = wrong_with_url(*url)) {
      fields.mistakes().add(fields.path_of("public_url"), *wrong);
      return std::nullopt;
    }
  }
  return url;
}

template <class T>
void assign(const std::optional<T>& from, T& to) {
  if (from) to = *from;
}

}  // namespace

boost::json::object to_json(const BacklogBound& bound) {
  return {{"count", bound.count}, {"bytes", bound.bytes}};
}

std::optional<std::vector<std::string>> take_secret_headers(ObjectReader& fields,
                                                            std::size_t count_max) {
  auto names = fields.text_list("secret_headers", count_max, kNameBytesMax);
  if (!names) return names;
  for (std::size_t i = 0; i < names->size(); ++i) {
    if (is_header_name((*names)[i])) continue;
    fields.mistakes().add(
        fmt::format("{}[{}]", fields.path_of("secret_headers"), i),
        fmt::format("expected a header name, given \"{}\"", valid_utf8((*names)[i])));
  }
  return names;
}

std::optional<BacklogBound> take_backlog(ObjectReader& fields, std::string_view name) {
  const boost::json::value* value = fields.take(name);
  if (!value) return std::nullopt;
  BacklogBound bound;
  if (value->is_null()) return bound;
  ObjectReader inner(*value, fields.path_of(name), fields.mistakes());
  bound.count = inner.integer("count", 1, kBacklogCountMax).value_or(bound.count);
  if (const auto bytes = inner.size("bytes", 1, static_cast<std::uint64_t>(kBacklogBytesMax))) {
    bound.bytes = static_cast<std::int64_t>(*bytes);
  }
  inner.finish();
  return bound;
}

boost::json::object to_json(const Source& source) {
  boost::json::object out;
  out["id"] = source.id.str();
  out["name"] = valid_utf8(source.name);
  out["slug"] = source.slug;
  out["mode"] = to_text(source.mode);
  if (source.idempotency) {
    boost::json::array places;
    for (const auto& place : *source.idempotency) places.emplace_back(to_text(place));
    out["idempotency"] = std::move(places);
  } else {
    out["idempotency"] = nullptr;
  }
  out["event_type"] = place_or_null(source.event_type);
  out["ordering_key"] = place_or_null(source.ordering_key);
  out["require_json"] = source.require_json;
  out["body_max"] = format_size(source.body_bytes_max);
  if (source.rate_limit.per_second > 0) {
    out["rate_limit"] = {{"per_second", source.rate_limit.per_second},
                         {"burst", source.rate_limit.burst}};
  } else {
    out["rate_limit"] = nullptr;
  }
  out["secret_headers"] = list_of(source.secret_headers);
  out["secret_query"] = list_of(source.secret_query);
  out["public_url"] = source.public_url;
  put_script(out, source.script);
  out["held"] = to_json(source.held_bound);
  show_inbound(source.inbound, out);
  out["managed_by"] = to_text(source.managed_by);
  if (source.deleting) out["deleting"] = true;
  out["revision"] = source.revision;
  out["created_at"] = to_rfc3339(source.created);
  out["updated_at"] = to_rfc3339(source.updated);
  return out;
}

Result<SourcePatch> parse_source_patch(const boost::json::value& value) {
  Mistakes mistakes;
  ObjectReader fields(value, "", mistakes);
  SourcePatch patch;
  patch.name = take_name(fields);
  patch.slug = take_slug(fields);
  patch.mode = fields.choice<SourceMode>("mode");
  patch.idempotency = take_idempotency(fields);
  patch.event_type = fields.place("event_type");
  patch.ordering_key = fields.place("ordering_key");
  patch.require_json = fields.boolean("require_json");
  patch.body_bytes_max = fields.size("body_max", 1, kBodyBytesMax);
  patch.rate_limit = take_rate_limit(fields);
  patch.secret_headers = take_secret_headers(fields, kSecretNamesMax);
  patch.secret_query = fields.text_list("secret_query", kSecretNamesMax, kNameBytesMax);
  patch.public_url = take_public_url(fields);
  patch.script_body = take_script_body(fields);
  patch.held_bound = take_backlog(fields, "held");
  patch.inbound = take_inbound(fields);
  fields.finish({"id", "script_version", "secret_fingerprints", "verification", "managed_by",
                 "deleting", "revision", "created_at", "updated_at"});
  if (mistakes.any()) return mistakes.error();
  return patch;
}

Result<> apply(const SourcePatch& patch, Source& source) {
  assign(patch.name, source.name);
  assign(patch.slug, source.slug);
  assign(patch.mode, source.mode);
  assign(patch.idempotency, source.idempotency);
  assign(patch.event_type, source.event_type);
  assign(patch.ordering_key, source.ordering_key);
  assign(patch.require_json, source.require_json);
  assign(patch.body_bytes_max, source.body_bytes_max);
  assign(patch.rate_limit, source.rate_limit);
  assign(patch.secret_headers, source.secret_headers);
  assign(patch.secret_query, source.secret_query);
  assign(patch.public_url, source.public_url);
  assign(patch.held_bound, source.held_bound);
  apply(patch.inbound, source.inbound);
  if (const auto secret = secret_place(source)) return fail(errc::malformed, *secret);
  if (source.name.empty()) return fail(errc::malformed, "name: is required");
  if (source.slug.empty()) source.slug = slug_from_name(source.name);
  if (source.slug.empty()) {
    return fail(errc::malformed,
                "slug: could not be made from the name; give one of a-z, 0-9 and '-'");
  }
  if (patch.script_body) {
    change_script(*patch.script_body, ScriptEntry::transform, source.slug + ":transform",
                  source.script, source.script_versions);
  }
  return {};
}

std::string slug_from_name(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == ' ') c = '-';
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    if (!kept || (c == '-' && (out.empty() || out.back() == '-'))) continue;
    out.push_back(c);
    if (out.size() == kSlugBytesMax) break;
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

bool is_slug(std::string_view text) {
  return !text.empty() && text.size() <= kSlugBytesMax && text.front() != '-' &&
         text.back() != '-' && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

}  // namespace grapnel::model
