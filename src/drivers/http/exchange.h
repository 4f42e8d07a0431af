// One request and its answer on one connection. Private to this room.
#pragma once

#include <expected>
#include <optional>
#include <string_view>

#include "drivers/http/call_plan.h"
#include "drivers/http/message_head.h"
#include "drivers/http/pool.h"

namespace grapnel::http {

class Exchange {
 public:
  enum class Outcome : std::uint8_t {
    answered,
    failed,
    stale,  ///< a kept connection ended before any byte of the answer: try a fresh one
  };

  /// Both outlive the exchange. `now` reads the same clock as the plan's deadline.
  Exchange(const CallPlan& plan, ClientConnection& connection, const Clock& clock)
      : plan_(plan), connection_(connection), clock_(clock) {}

  /// Runs where cancellation does not throw.
  async::Task<Outcome> run();

  /// After `answered`: the answer (its timings hold first_byte_us alone).
  model::HttpAnswer& answer() { return answer_; }
  /// After `failed`.
  model::HttpFailure& failure() { return failure_; }
  std::int32_t first_byte_us() const { return answer_.timings.first_byte_us; }
  /// Whether the connection may carry another request.
  bool reusable() const { return framing_.keep_alive && !cut_ && connection_.buffer.empty(); }

 private:
  enum class Got : std::uint8_t { bytes, end, failed };

  async::Task<bool> send();
  async::Task<Outcome> read_head();
  async::Task<bool> read_body();
  async::Task<bool> read_sized_body(std::uint64_t bytes);
  async::Task<bool> read_chunked_body();
  async::Task<bool> read_body_until_close();
  async::Task<Got> read_more(std::string_view doing);
  void take(std::string_view body);
  void note_first_byte();
  Outcome ended_before_head();
  bool fail_reading(std::string what);

  const CallPlan& plan_;
  ClientConnection& connection_;
  const Clock& clock_;
  Framing framing_;
  model::HttpAnswer answer_;
  model::HttpFailure failure_;
  Monotonic sent_;
  SocketError send_error_;
  SocketError read_error_;
  std::uint64_t body_bytes_ = 0;
  bool began_ = false;  // the answer's first byte has come
  bool cut_ = false;    // the answer's body is longer than we read
};

}  // namespace grapnel::http
