// The API's client: calls, pages, and one clear line for everything that can go wrong.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "model/http.h"
#include "surface/cli/limits.h"

namespace grapnel::cli {

/// Which server, and who asks.
struct Connection {
  std::string server;                            ///< "http://127.0.0.1:8080", no '/' at the end
  crypto::Secret key;                            ///< empty: none
  std::shared_ptr<const std::string> ca_bundle;  ///< PEM; null: the system's roots
};

using Query = std::vector<std::pair<std::string, std::string>>;

struct Call {
  std::string method = "GET";
  std::string path;  ///< segments are encoded already (encode_segment)
  Query query;
  std::optional<boost::json::value> document;  ///< sent as JSON
  model::HeaderList headers;
  Millis timeout = kCallTimeout;
};

struct Answer {
  int status = 0;
  model::HeaderList headers;
  std::string body;
};

class Client {
 public:
  /// `http` outlives the client.
  Client(model::HttpSender& http, Connection connection)
      : http_(http), connection_(std::move(connection)) {}

  const std::string& server() const { return connection_.server; }

  /// A 2xx answer. Errors: unreachable, not_allowed, not_found, conflict, refused, unavailable,
  /// bad_answer; each message is one line that says what, where and what to do.
  async::Task<Result<Answer>> call(Call call);
  /// The same without a key and with a body of any type: what a sender of webhooks does.
  async::Task<Result<Answer>> post_webhook(std::string path, model::HeaderList headers,
                                           std::string_view body);
  /// The answer's JSON; null for 204. Also: bad_answer.
  async::Task<Result<boost::json::value>> json(Call call);
  /// A list, page after page until `rows_max` (pages end before, too).
  async::Task<Result<boost::json::array>> list(std::string path, Query query, int rows_max);

 private:
  async::Task<Result<Answer>> send(model::HttpCall call, std::string_view what);

  model::HttpSender& http_;
  Connection connection_;
};

/// A path segment, or a value of a query (RFC 3986 section 2.3).
std::string encode_segment(std::string_view text);
/// The target of `Link: <target>; rel="next"` (RFC 8288).
std::optional<std::string> next_of(const model::HeaderList& headers);
/// JSON of an answer. Error: bad_answer.
Result<boost::json::value> parse_answer(const Answer& answer, std::string_view server);

}  // namespace grapnel::cli
