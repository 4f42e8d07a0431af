// Answers that are JSON, and what HTTP says around them: entity tags, pages, places.
#pragma once

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "model/http.h"
#include "model/ids.h"
#include "surface/api/problem.h"
#include "surface/api/router.h"

namespace grapnel::api {

model::HttpResponse json_answer(int status, const boost::json::value& value);
/// `text` is JSON already.
model::HttpResponse json_text_answer(int status, std::string text);
model::HttpResponse empty_answer(int status);

/// A definition with its entity tag; 304 where If-None-Match knows it (RFC 9110 section 13.1.2).
model::HttpResponse tagged_answer(const Call& call, int status, const boost::json::object& value,
                                  model::Revision revision);

/// 412 when the request has an If-Match that does not name this revision.
std::optional<model::HttpResponse> check_if_match(const Call& call, model::Revision revision);
/// A change that lost every try against others: 412 where an If-Match was given, else 409.
model::HttpResponse changed_meanwhile(const Call& call);

/// Adds `Link: <…>; rel="next"` (RFC 8288): the same list from that cursor on.
void add_next(model::HttpResponse& answer, const Call& call, std::string_view cursor);

/// 1 to kPageMax.
Answer<int> read_limit(const Call& call, int otherwise);

}  // namespace grapnel::api
