// Heads of HTTP/1.x messages, read strictly. Requests that two parsers could split differently are
// refused (RFC 9112 section 11.2): Content-Length beside Transfer-Encoding, differing lengths,
// folded lines, bare line feeds, broken names, a coding that is not exactly "chunked".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/http.h"

namespace grapnel::http {

enum class BodyKind : std::uint8_t {
  none,
  length,  ///< `bytes` follow
  chunked,
  until_close,  ///< answers only
};

struct Framing {
  BodyKind body = BodyKind::none;
  std::uint64_t bytes = 0;  ///< of BodyKind::length
  bool keep_alive = false;  ///< what the peer allows
};

struct RequestFraming : Framing {
  bool expects_continue = false;
  bool http_1_0 = false;
};

struct AnswerHead {
  int status = 0;
  model::HeaderList headers;
  Framing framing;
};

/// Length of the head that `buffer` begins with, its empty line included; 0 while it is incomplete.
/// `scanned` remembers how far earlier calls looked; start with 0.
std::size_t find_head_end(std::string_view buffer, std::size_t& scanned);

/// Reads a complete head. Fills method, target and headers of `request` as far as they could be
/// read, also on a fault.
std::optional<model::HttpFault> parse_request_head(std::string_view head,
                                                   model::HttpRequest& request,
                                                   RequestFraming& framing);

enum class AnswerTo : std::uint8_t { head_request, other_request };

/// Reads a complete head of an answer. Returns what is wrong with it, or nothing.
std::optional<std::string> parse_answer_head(std::string_view head, AnswerTo request,
                                             AnswerHead& answer);

}  // namespace grapnel::http
