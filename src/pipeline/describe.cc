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

/// A body is parsed only when some place points into it, and then once.
class Reader {
 public:
  explicit Reader(const HttpRequest& request) : request_(request) {}

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
    if (!body_) body_.emplace(request_.body);
    auto value = body_->scalar(pointer);
    if (value && value->empty()) return std::nullopt;
    return value;
  }

 private:
  const HttpRequest& request_;
  std::optional<JsonBody> body_;
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
    if (const auto action = reader.pointer("/action")) *type += "." + *action;
    return clean_type(*type);
  }
  if (auto type = reader.header("ce-type")) return clean_type(*type);
  if (auto type = reader.pointer("/type")) return clean_type(*type);
  return "webhook";
}

std::string bounded_key(std::string key, std::size_t bytes_max) {
  if (key.size() <= bytes_max) return key;
  return "sha256:" + crypto::hex_encode(crypto::as_text(crypto::sha256(key)));
}

void find_idempotency_key(const model::Source& source, Reader& reader, Description& out) {
  const auto& places =
      source.idempotency ? *source.idempotency : model::default_idempotency_places();
  for (const Place& place : places) {
    auto key = reader.at(place);
    if (!key) continue;
    // CloudEvents 1.0: `id` is unique within `source` only.
    if (place.kind == Place::Kind::header && model::same_name(place.name, "ce-id")) {
      *key = reader.header("ce-source").value_or("") + "\n" + *key;
    }
    out.idempotency_place = model::to_text(place);
    out.idempotency_key = bounded_key(std::move(*key), model::kIdempotencyKeyBytesMax);
    return;
  }
}

}  // namespace

Description describe(const model::Source& source, const HttpRequest& request) {
  Reader reader(request);
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

}  // namespace grapnel::pipeline
