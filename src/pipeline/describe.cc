#include "pipeline/describe.h"

#include <algorithm>

#include "base/utf8.h"
#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "crypto/digest.h"
#include "model/limits.h"
#include "model/texts.h"
#include "pipeline/json_body.h"

namespace grapnel::pipeline {
namespace {

using model::HttpRequest;
using model::Place;

constexpr const char* kGithubAction = "/action";
constexpr const char* kType = "/type";
constexpr const char* kSource = "/source";

/// A body is looked into only when some place points there, and then once.
class Reader {
 public:
  Reader(const model::Source& source, const HttpRequest& request, std::optional<BodyValues> values)
      : source_(source), request_(request), values_(std::move(values)) {}

  std::optional<std::string> at(const Place& place) {
    if (place.kind == Place::Kind::header) return header(place.name);
    return pointer(place.name);
  }
  std::optional<std::string> header(std::string_view name) const {
    const auto value = model::find_header(request_.headers, name);
    if (!value || value->empty()) return std::nullopt;
    return std::string(*value);
  }
  std::optional<std::string> pointer(std::string_view pointer) {
    if (!values_) values_ = read_values(request_.body, places_in_body(source_));
    const auto found = std::ranges::find(*values_, pointer, &BodyValues::value_type::first);
    if (found == values_->end() || found->second.empty()) return std::nullopt;
    return found->second;
  }

 private:
  const model::Source& source_;
  const HttpRequest& request_;
  std::optional<BodyValues> values_;
};

/// Printable UTF-8, bounded: a type is a log field and a part of lists.
std::string clean_type(std::string_view type) {
  std::string out(cut_utf8(type, model::kEventTypeBytesMax));
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '_');
  const std::string valid = valid_utf8(out);
  return std::string(cut_utf8(valid, model::kEventTypeBytesMax));
}

std::string event_type(const model::Source& source, Reader& reader) {
  if (source.event_type) {
    if (auto type = reader.at(*source.event_type)) return clean_type(*type);
    return "webhook";
  }
  if (auto type = reader.header("X-GitHub-Event")) {
    if (const auto action = reader.pointer(kGithubAction)) *type += "." + *action;
    return clean_type(*type);
  }
  if (auto type = reader.header("ce-type")) return clean_type(*type);
  if (auto type = reader.pointer(kType)) return clean_type(*type);
  return "webhook";
}

std::string bounded_key(std::string key, std::size_t bytes_max) {
  if (key.size() <= bytes_max) return key;
  return "sha256:" + crypto::hex_encode(crypto::as_text(crypto::sha256(key)));
}

/// CloudEvents in structured mode have the same rule for the attributes in their body.
bool is_structured_id(const model::Source& source, const Place& place) {
  return source.inbound.provider == "cloudevents" && place.kind == Place::Kind::pointer &&
         place.name == "/id";
}

const std::vector<Place>& idempotency_places(const model::Source& source) {
  return source.idempotency ? *source.idempotency : model::default_idempotency_places();
}

void find_idempotency_key(const model::Source& source, Reader& reader, Description& out) {
  for (const Place& place : idempotency_places(source)) {
    auto key = reader.at(place);
    if (!key) continue;
    // CloudEvents 1.0: `id` is unique within `source` only.
    if (place.kind == Place::Kind::header && model::same_name(place.name, "ce-id")) {
      *key = reader.header("ce-source").value_or("") + "\n" + *key;
    }
    if (is_structured_id(source, place)) *key = reader.pointer(kSource).value_or("") + "\n" + *key;
    out.idempotency_place = model::to_text(place);
    out.idempotency_key = bounded_key(std::move(*key), model::kIdempotencyKeyBytesMax);
    return;
  }
}

Description describe_with(const model::Source& source, Reader reader) {
  Description out;
  out.type = event_type(source, reader);
  find_idempotency_key(source, reader, out);
  if (source.ordering_key) {
    if (auto key = reader.at(*source.ordering_key)) {
      out.ordering_key = bounded_key(std::move(*key), model::kOrderingKeyBytesMax);
    }
  }
  return out;
}

}  // namespace

Description describe(const model::Source& source, const HttpRequest& request) {
  return describe_with(source, Reader(source, request, std::nullopt));
}

Description describe(const model::Source& source, const HttpRequest& request, BodyValues values) {
  return describe_with(source, Reader(source, request, std::move(values)));
}

std::vector<std::string> places_in_body(const model::Source& source) {
  std::vector<std::string> pointers;
  const auto add = [&pointers](const Place& place) {
    if (place.kind == Place::Kind::pointer) pointers.push_back(place.name);
  };
  if (source.event_type) {
    add(*source.event_type);
  } else {
    pointers = {kGithubAction, kType};
  }
  std::ranges::for_each(idempotency_places(source), add);
  if (std::ranges::any_of(idempotency_places(source),
                          [&](const Place& place) { return is_structured_id(source, place); })) {
    pointers.emplace_back(kSource);
  }
  if (source.ordering_key) add(*source.ordering_key);
  return pointers;
}

}  // namespace grapnel::pipeline
