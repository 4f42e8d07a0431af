// A request of any form has a type that is printable and keys within their bounds, the same ones
// whether its body is looked into at once or was scanned before.
#include "pipeline/describe.h"

#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "base/utf8.h"
#include "model/limits.h"

using namespace grapnel;

namespace {

/// Cuts the input at newlines.
std::string next(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  std::string part(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  model::Source source;
  source.ordering_key = model::Place{model::Place::Kind::pointer, next(rest)};
  model::HttpRequest request;
  request.headers = {{"X-GitHub-Event", next(rest)},
                     {"ce-type", next(rest)},
                     {"ce-id", next(rest)},
                     {"webhook-id", next(rest)}};
  request.body = std::string(rest);
  const auto got = pipeline::describe(source, request);
  GRAPNEL_CHECK(!got.type.empty() && got.type.size() <= model::kEventTypeBytesMax, got.type.size());
  GRAPNEL_CHECK(valid_utf8(got.type) == got.type);
  GRAPNEL_CHECK(std::ranges::none_of(got.type, [](char c) { return c >= 0 && c < 0x20; }));
  GRAPNEL_CHECK(got.idempotency_key.size() <= model::kIdempotencyKeyBytesMax);
  GRAPNEL_CHECK(got.idempotency_place.empty() == got.idempotency_key.empty());
  if (got.ordering_key) GRAPNEL_CHECK(got.ordering_key->size() <= model::kOrderingKeyBytesMax);
  // An exponent of ten digits: see JsonScan::finish().
  const auto digits = std::ranges::count_if(rest, [](char c) { return c >= '0' && c <= '9'; });
  if (digits >= 10 && rest.find_first_of("eE") != std::string_view::npos) return 0;
  pipeline::JsonScan scan(pipeline::places_in_body(source));
  scan.add(request.body);
  GRAPNEL_CHECK(
      got == pipeline::describe(source, request, scan.finish().value_or(pipeline::BodyValues{})));
  return 0;
}
