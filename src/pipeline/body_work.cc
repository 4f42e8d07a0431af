#include "pipeline/body_work.h"

#include <utility>

#include "async/work_rest.h"
#include "crypto/digest.h"
#include "pipeline/json_body.h"
#include "pipeline/json_scan.h"
#include "pipeline/limits.h"

namespace grapnel::pipeline {

BodyWork work_on(const model::Source& source, const model::HttpRequest& request) {
  if (source.require_json && !is_json(request.body)) return {.acceptable = false};
  return {.description = describe(source, request), .sha256 = crypto::sha256(request.body)};
}

BodyWork work_on_large(const model::Source& source, const model::HttpRequest& request) {
  const std::string_view body = request.body;
  const auto places = places_in_body(source);
  const bool is_looked_into = source.require_json || !places.empty();
  JsonScan scan(places);
  crypto::Sha256Stream hash;
  async::WorkRest rest;
  for (std::size_t at = 0; at < body.size(); at += kWorkPieceBytes) {
    rest.before_piece();
    const std::string_view piece = body.substr(at, kWorkPieceBytes);
    hash.add(piece);
    if (is_looked_into) scan.add(piece);
  }
  auto values = scan.finish();
  if (source.require_json && !values) return {.acceptable = false};
  return {.description = describe(source, request, std::move(values).value_or(BodyValues{})),
          .sha256 = hash.finish()};
}

}  // namespace grapnel::pipeline
