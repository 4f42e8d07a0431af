// The head of an answer as bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "model/http.h"

namespace grapnel::http {

/// The Date field's value (RFC 9110 section 5.6.7), made anew once a second.
class DateText {
 public:
  std::string_view at(Monotonic now);

 private:
  SystemClock clock_;
  Monotonic stale_at_ = Monotonic::min();
  std::string text_;
};

/// What the server decides about an answer.
struct AnswerFrame {
  enum class Body : std::uint8_t { sent, left_out };
  enum class Connection : std::uint8_t {
    implied,  ///< the version's default is right
    close,
    keep_alive,  ///< said to HTTP/1.0
  };
  Body body = Body::sent;
  Connection connection = Connection::implied;
};

/// Appends status line and fields. Content-Length, Date, Connection and Transfer-Encoding of the
/// answer are dropped, as are fields that are no HTTP (a line break in a value).
void write_answer_head(const model::HttpResponse& answer, const AnswerFrame& frame,
                       std::string_view date, std::string& out);

/// Whether an answer of this status has a body at all (RFC 9110 section 6.4.1).
bool has_body(int status);

}  // namespace grapnel::http
