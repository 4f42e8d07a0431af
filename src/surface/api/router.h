// The route table of /api: every route is one row, and what a row says (scope, reach, query
// parameters) is enforced here, before its endpoint runs. Each resource file gives its rows.
#pragma once

#include <boost/json/value.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "model/http.h"
#include "surface/api/auth.h"
#include "surface/api/parts.h"
#include "surface/api/target.h"

namespace grapnel::api {

/// One authenticated request on its way to its endpoint.
struct Call {
  model::HttpRequest request;
  std::vector<std::string> params;  ///< of the pattern's {…}, in order, decoded
  Query query;
  std::string path;  ///< as it came, encoded
  Caller caller;
  model::SnapshotPtr snapshot;  ///< the newest when the call began
};

using Endpoint = async::Task<model::HttpResponse> (*)(const Ports& ports, Call call);

/// Whether keys that are limited to some sources may use a route.
enum class Reach : std::uint8_t {
  by_source,  ///< yes, and the endpoint shows and touches their sources only
  whole,      ///< no (403): it is about the whole installation
};

/// What the request's body is.
enum class BodyUse : std::uint8_t {
  none,  ///< empty, or an empty JSON object where the method has bodies
  json,
};

struct Route {
  std::string_view method;
  std::string_view pattern;  ///< "/api/sources/{source}"
  std::string_view query;    ///< names of its parameters, separated by a space
  model::KeyScope scope;
  Reach reach;
  BodyUse body;
  Endpoint endpoint;
};

/// Every route of /api.
std::vector<Route> api_routes();

/// A path's route, or which methods it has.
struct Match {
  const Route* route = nullptr;
  std::vector<std::string> params;
  std::string allow;  ///< "GET, HEAD, POST"; "" = no route has that path
};
/// HEAD is answered as GET is; the server leaves the body out.
Match match(std::span<const Route> routes, std::string_view method, std::string_view path);

/// Checks what the route's row says. Gives the call back, or the answer that refuses it.
Answer<Query> check_call(const Route& route, const Caller& caller, std::string_view query);

/// The call's document. 415, 400.
Answer<boost::json::value> read_json(const Call& call);
/// 400 unless the body is empty or {}.
std::optional<model::HttpResponse> refuse_body(const model::HttpRequest& request);

}  // namespace grapnel::api
