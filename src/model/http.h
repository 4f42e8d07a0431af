// HTTP as the rest of the project sees it: the requests that reach us, and the port through which
// every outgoing call goes.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "model/delivery.h"
#include "model/headers.h"
#include "model/limits.h"

namespace grapnel::model {

/// Whether a Content-Type says JSON: application/json or a +json type, whatever its parameters.
bool is_json_type(std::string_view type);
/// The reason phrase of a status that is known here (RFC 9110 section 15, RFC 6585); "" for others.
std::string_view status_name(int status);

struct HttpRequest {
  std::string method;
  std::string target;  ///< raw, as on the request line
  HeaderList headers;
  std::string body;     ///< empty while the request is admitted
  std::string remote;   ///< "address:port" of the peer, or of the client that a trusted proxy names
  bool secure = false;  ///< over TLS, ours or a trusted proxy's
  /// What the client showed in our TLS handshake: DER certificates, its own first; empty: none.
  std::vector<std::string> client_certificates = {};
};

struct HttpResponse {
  int status = 200;
  HeaderList headers;  ///< without Content-Length, Date and Connection, which the server sets
  std::string body;
  bool close = false;  ///< end the connection after this answer
};

/// What the server may read after the head of a request.
struct BodyAllowance {
  std::uint64_t bytes_max = kBodyBytesDefault;
  /// Whose share of the bytes in flight the body counts towards: one payer gets half of them.
  std::string payer = {};
};

/// Faults that the server finds itself; the handler words the answer.
enum class HttpFault : std::uint8_t {
  bad_request,                  ///< 400: not HTTP, or both Content-Length and Transfer-Encoding
  timeout,                      ///< 408: head or body too slow
  length_required,              ///< 411: a body of unknown length on HTTP/1.0
  body_too_large,               ///< 413
  head_too_large,               ///< 431: too many or too long header fields
  too_many_in_flight,           ///< 429: the bound of bytes in flight is reached
  unsupported_transfer_coding,  ///< 501
};

/// Answers requests of one listener. Called on the loop's thread.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  /// Looks at the head alone, before any of the body is read and before "100 Continue": either how
  /// much body may come, or the answer at once.
  virtual std::variant<BodyAllowance, HttpResponse> admit(const HttpRequest& head) = 0;
  /// Called with the whole request when admit allowed it.
  virtual async::Task<HttpResponse> handle(HttpRequest request) = 0;
  /// `head` holds what could be read of it.
  virtual HttpResponse fault(HttpFault fault, const HttpRequest& head) = 0;
};

/// One outgoing request.
struct HttpCall {
  std::string method = "POST";
  std::string url;        ///< http or https, without credentials
  HeaderList headers;     ///< without Host, Content-Length and Connection, which the driver sets
  std::string_view body;  ///< outlives the call
  /// For the whole call, from now to the answer's last byte
  Millis timeout = kAttemptTimeoutDefault;
  std::shared_ptr<const std::string> ca_bundle;  ///< PEM; null: the system's roots
  /// Read at most; beyond, the connection is closed
  std::size_t response_bytes_max = kResponseBytesMax;
  std::size_t response_bytes_kept = kResponseExcerptBytesMax;
};

struct HttpAnswer {
  int status = 0;
  HeaderList headers;
  std::string body;  ///< at most `response_bytes_kept`
  AttemptTimings timings;
};

/// Why no answer came.
struct HttpFailure {
  AttemptStep step = AttemptStep::none;
  std::string message;  ///< one line: the step, what, where; holds no secret
  AttemptTimings timings;
};

/// Every outgoing HTTP call that a user's data can aim goes through here: connection pool, TLS,
/// egress guard, no redirects. Used on the loop's thread.
class HttpSender {
 public:
  virtual ~HttpSender() = default;
  /// Whether send() would take this URL at all: http or https, a host, no credentials. Asked when a
  /// target is saved, so that a mistake is told then and not by a dead letter. Where it leads is
  /// not looked at.
  virtual Result<> check_url(std::string_view url) const = 0;
  /// Canceled callers get a failure with step none.
  virtual async::Task<std::expected<HttpAnswer, HttpFailure>> send(HttpCall call) = 0;
};

}  // namespace grapnel::model
