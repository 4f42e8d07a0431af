#include "surface/api/router.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "model/texts.h"
#include "surface/api/actions_api.h"
#include "surface/api/admin_api.h"
#include "surface/api/attempts_api.h"
#include "surface/api/deliveries_api.h"
#include "surface/api/events_api.h"
#include "surface/api/inbound_api.h"
#include "surface/api/keys_api.h"
#include "surface/api/limits.h"
#include "surface/api/replays_api.h"
#include "surface/api/scripts_api.h"
#include "surface/api/sources_api.h"
#include "surface/api/strict_json.h"

namespace grapnel::api {
namespace {

std::string_view next_segment(std::string_view& rest) {
  rest.remove_prefix(1);  // the '/'
  const auto segment = rest.substr(0, rest.find('/'));
  rest.remove_prefix(segment.size());
  return segment;
}

/// The values of the pattern's parameters, still encoded; nothing when the path is another one.
std::optional<std::vector<std::string_view>> match_path(std::string_view pattern,
                                                        std::string_view path) {
  std::vector<std::string_view> values;
  while (!pattern.empty() && !path.empty()) {
    const auto wanted = next_segment(pattern);
    const auto given = next_segment(path);
    if (wanted.starts_with('{')) {
      if (given.empty()) return std::nullopt;
      values.push_back(given);
    } else if (wanted != given) {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return values;
}

void add_method(std::string& allow, std::string_view method) {
  if (!allow.empty()) allow += ", ";
  allow += method;
  if (method == "GET") allow += ", HEAD";
}

}  // namespace

std::vector<Route> api_routes() {
  std::vector<Route> all;
  for (const auto routes :
       {source_routes(), script_routes(), action_routes(), event_routes(), delivery_routes(),
        attempt_routes(), replay_routes(), key_routes(), admin_routes(), inbound_routes()}) {
    all.insert(all.end(), routes.begin(), routes.end());
  }
  return all;
}

Match match(std::span<const Route> routes, std::string_view method, std::string_view path) {
  Match found;
  if (method == "HEAD") method = "GET";
  for (const Route& route : routes) {
    const auto values = match_path(route.pattern, path);
    if (!values) continue;
    add_method(found.allow, route.method);
    if (route.method != method) continue;
    found.route = &route;
    for (const auto value : *values) {
      // A broken escape names nothing that exists.
      found.params.push_back(percent_decode(value).value_or(""));
    }
  }
  return found;
}

Answer<Query> check_call(const Route& route, const Caller& caller, std::string_view query_text) {
  if (caller.scope < route.scope) {
    auto answer =
        to_answer(Problem{403,
                          "scope",
                          fmt::format("this needs a key of scope {}; the key given has scope {}",
                                      model::to_text(route.scope), model::to_text(caller.scope)),
                          {}});
    answer.headers.push_back(
        {"WWW-Authenticate", fmt::format("Bearer realm=\"grapnel\", error=\"insufficient_scope\", "
                                         "scope=\"{}\"",
                                         model::to_text(route.scope))});
    return std::unexpected(std::move(answer));
  }
  if (caller.is_limited() && route.reach == Reach::whole) {
    return refuse(403, "limited-key", "this needs a key that is not limited to some sources");
  }
  auto query = Query::parse(query_text);
  if (!query) return refuse(query.error());
  if (const auto unknown = query->first_not_in(route.query)) {
    return refuse(400, "invalid",
                  fmt::format("unknown query parameter '{}'; known here: {}",
                              valid_utf8(unknown->substr(0, model::kEchoBytesMax)),
                              route.query.empty() ? "none" : route.query));
  }
  return std::move(*query);
}

Answer<boost::json::value> read_json(const Call& call) {
  const auto type = model::find_header(call.request.headers, "Content-Type");
  if (type && !model::is_json_type(*type)) {
    return refuse(415, "not-json", "send the document as Content-Type: application/json");
  }
  if (call.request.body.empty()) return refuse(400, "invalid", "a JSON document is required");
  auto value = parse_strict_json(call.request.body);
  if (!value) return refuse(value.error());
  return std::move(*value);
}

std::optional<model::HttpResponse> refuse_body(const model::HttpRequest& request) {
  if (request.body.empty()) return std::nullopt;
  const auto value = parse_strict_json(request.body);
  if (value && value->is_object() && value->get_object().empty()) return std::nullopt;
  return to_answer(Problem{400, "invalid", "this takes no document; leave the body empty", {}});
}

}  // namespace grapnel::api
