#include "drivers/http/message_head.h"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "drivers/http/limits.h"

namespace grapnel::http {
namespace {

namespace beast = boost::beast;
using BeastError = beast::error_code;
using model::HttpFault;

/// Most requests have fewer fields; saves the first growths of the list.
constexpr std::size_t kUsualHeaders = 16;

std::string text(beast::string_view view) { return {view.data(), view.size()}; }

/// The half that both directions share: fields into a list, no body ever.
template <bool is_request>
class HeadParser : public beast::http::basic_parser<is_request> {
 public:
  HeadParser(model::HeaderList& headers, std::size_t headers_max)
      : headers_(headers), headers_max_(headers_max) {
    headers_.reserve(kUsualHeaders);
    this->header_limit(static_cast<std::uint32_t>(2 * kAnswerHeadBytesMax));
    this->body_limit(boost::none);
  }

  bool too_many() const { return too_many_; }

  /// False: `head` is no head.
  bool read(std::string_view head) {
    BeastError error;
    this->put(boost::asio::const_buffer(head.data(), head.size()), error);
    return !error && this->is_header_done();
  }

 private:
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     BeastError& error) override {
    if (headers_.size() == headers_max_) {
      too_many_ = true;
      error = beast::http::error::header_limit;
      return;
    }
    headers_.push_back({text(name), text(value)});
  }
  void on_header_impl(BeastError&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, BeastError&) override {}
  std::size_t on_body_impl(beast::string_view body, BeastError&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, BeastError&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, BeastError&) override {
    return body.size();
  }
  void on_finish_impl(BeastError&) override {}

  model::HeaderList& headers_;
  std::size_t headers_max_;
  bool too_many_ = false;
};

class RequestParser final : public HeadParser<true> {
 public:
  explicit RequestParser(model::HttpRequest& request)
      : HeadParser(request.headers, model::kHeadersMax), request_(request) {}

  bool http_1_0() const { return http_1_0_; }

 private:
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                       int version, BeastError&) override {
    http_1_0_ = version == 10;
    request_.method = text(method);
    request_.target = text(target);
  }
  void on_response_impl(int, beast::string_view, int, BeastError&) override {}

  model::HttpRequest& request_;
  bool http_1_0_ = false;
};

class AnswerParser final : public HeadParser<false> {
 public:
  explicit AnswerParser(AnswerHead& answer)
      : HeadParser(answer.headers, kAnswerHeadersMax), answer_(answer) {}

 private:
  void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int,
                       BeastError&) override {}
  void on_response_impl(int status, beast::string_view, int, BeastError&) override {
    answer_.status = status;
  }

  AnswerHead& answer_;
};

/// Folded lines and bare line feeds: what lenient parsers read differently.
bool has_ambiguous_lines(std::string_view head) {
  for (std::size_t at = head.find('\n'); at != std::string_view::npos;
       at = head.find('\n', at + 1)) {
    if (at == 0 || head[at - 1] != '\r') return true;
    if (at + 1 < head.size() && (head[at + 1] == ' ' || head[at + 1] == '\t')) return true;
  }
  return false;
}

struct SmugglingSigns {
  int hosts = 0;
  int lengths = 0;
  int codings = 0;
  bool chunked_only = true;  ///< every coding is exactly "chunked"
  bool expects_continue = false;
};

SmugglingSigns look_at(const model::HeaderList& headers) {
  SmugglingSigns signs;
  for (const auto& [name, value] : headers) {
    switch (name.size()) {  // a cheap way past the fields of no interest
      case 4:
        if (model::same_name(name, "Host")) ++signs.hosts;
        break;
      case 6:
        if (model::same_name(name, "Expect") && model::same_name(value, "100-continue")) {
          signs.expects_continue = true;
        }
        break;
      case 14:
        if (model::same_name(name, "Content-Length")) ++signs.lengths;
        break;
      case 17:
        if (model::same_name(name, "Transfer-Encoding")) {
          ++signs.codings;
          signs.chunked_only = signs.chunked_only && model::same_name(value, "chunked");
        }
        break;
      default: break;
    }
  }
  return signs;
}

bool implies_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

std::optional<HttpFault> check_framing(const SmugglingSigns& signs, std::string_view method,
                                       const RequestFraming& framing) {
  if (signs.hosts > 1 || (signs.hosts == 0 && !framing.http_1_0)) return HttpFault::bad_request;
  if (signs.codings > 0) {
    if (signs.lengths > 0 || framing.http_1_0) return HttpFault::bad_request;
    if (!signs.chunked_only) return HttpFault::unsupported_transfer_coding;
    if (signs.codings > 1) return HttpFault::bad_request;
  }
  if (framing.http_1_0 && signs.lengths == 0 && implies_body(method)) {
    return HttpFault::length_required;
  }
  return std::nullopt;
}

/// Whatever the list says, for the fault's log line; the parser stopped somewhere inside it.
std::optional<HttpFault> fault_of(const RequestParser& parser, const SmugglingSigns& signs) {
  if (parser.too_many()) return HttpFault::head_too_large;
  if (signs.codings > 0 && !signs.chunked_only && signs.lengths == 0) {
    return HttpFault::unsupported_transfer_coding;
  }
  return HttpFault::bad_request;
}

}  // namespace

std::size_t find_head_end(std::string_view buffer, std::size_t& scanned) {
  const std::size_t end = buffer.find("\r\n\r\n", scanned);
  if (end != std::string_view::npos) return end + 4;
  scanned = buffer.size() > 3 ? buffer.size() - 3 : 0;
  return 0;
}

std::optional<HttpFault> parse_request_head(std::string_view head, model::HttpRequest& request,
                                            RequestFraming& framing) {
  RequestParser parser(request);
  const bool is_head = parser.read(head);
  const SmugglingSigns signs = look_at(request.headers);
  if (!is_head) return fault_of(parser, signs);
  if (has_ambiguous_lines(head)) return HttpFault::bad_request;
  framing.http_1_0 = parser.http_1_0();
  framing.keep_alive = parser.keep_alive();
  framing.expects_continue = signs.expects_continue && !framing.http_1_0;
  if (auto fault = check_framing(signs, request.method, framing)) return fault;
  if (parser.chunked()) {
    framing.body = BodyKind::chunked;
  } else if (signs.lengths > 0) {
    framing.bytes = parser.content_length().value_or(0);
    framing.body = framing.bytes > 0 ? BodyKind::length : BodyKind::none;
  }
  return std::nullopt;
}

std::optional<std::string> parse_answer_head(std::string_view head, AnswerTo request,
                                             AnswerHead& answer) {
  // "HTTP/1.1 200" without the space before an empty reason is common enough to be read.
  constexpr std::size_t kShortStatusLine = 12;
  std::string patched;
  if (head.size() > kShortStatusLine && head.substr(kShortStatusLine).starts_with("\r\n")) {
    patched.assign(head.substr(0, kShortStatusLine));
    patched += ' ';
    patched += head.substr(kShortStatusLine);
    head = patched;
  }
  AnswerParser parser(answer);
  if (request == AnswerTo::head_request) parser.skip(true);
  if (!parser.read(head)) {
    return parser.too_many() ? "too many header fields" : "what came is no HTTP/1.1 answer";
  }
  Framing& framing = answer.framing;
  framing.keep_alive = parser.keep_alive();
  if (parser.is_done()) {
    framing.body = BodyKind::none;
  } else if (parser.chunked()) {
    framing.body = BodyKind::chunked;
  } else if (const auto length = parser.content_length()) {
    framing.body = BodyKind::length;
    framing.bytes = *length;
  } else {
    framing.body = BodyKind::until_close;
  }
  return std::nullopt;
}

}  // namespace grapnel::http
