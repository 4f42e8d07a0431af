// One connection of the server, from the handshake to the close. Private to this room.
//
//   head --admit--> body --handle--> answer --> head (keep-alive) | linger --> closed
#pragma once

#include <boost/intrusive/list.hpp>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "drivers/http/answer_writer.h"
#include "drivers/http/body_budget.h"
#include "drivers/http/body_pace.h"
#include "drivers/http/message_head.h"
#include "drivers/http/proxy_trust.h"
#include "drivers/http/read_buffer.h"
#include "drivers/http/server.h"
#include "drivers/http/stream.h"
#include "drivers/http/watchdog.h"

namespace grapnel::http {

using IdleHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
class Connection;
/// Connections waiting for a next request, the longest waiting first.
using IdleList = boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>>;

/// What the connections of one server share.
struct ServerState {
  ServerState(async::Executor executor, ServerOptions given, model::HttpHandler& request_handler);
  ~ServerState();

  ServerOptions options;
  model::HttpHandler& handler;
  ProxyTrust proxies;
  BodyBudget bodies;
  async::SystemTimers timers;
  BodyPace pace;
  Watchdog watchdog;
  ServerStats stats;
  DateText date;
  std::unique_ptr<IdleList> idle;
  std::shared_ptr<const TlsContext> tls;  // immutable; connections keep the one they began with
  bool draining = false;
};

class Connection final : public Watched, public IdleHook {
 public:
  Connection(ServerState& state, Stream stream);

  /// Returns when the connection is closed.
  async::Task<> run();
  /// Ends a connection at rest; it leaves the idle list at once.
  void end_idle();

 private:
  enum class Next : bool { close, keep };
  enum class HeadRead : std::uint8_t { ready, closed, timed_out, too_large, garbage };
  enum class BodyRead : std::uint8_t { done, closed, fault };
  /// What must be remembered of a request until its answer.
  struct Terms {
    AnswerFrame::Body body = AnswerFrame::Body::sent;
    bool keep_alive = false;
    bool http_1_0 = false;
    bool body_unread = false;  // the rest of the request's body is not wanted any more
  };

  void interrupt() override { stream_.cancel(); }
  Monotonic now() const { return clock_.monotonic(); }
  async::Task<Next> serve_one();
  async::Task<HeadRead> read_head();
  void rest();
  bool goes_on_after_drain();
  async::Task<bool> read_more();
  void identify(model::HttpRequest& request) const;
  async::Task<BodyRead> read_body(const RequestFraming& framing, std::uint64_t bytes_max,
                                  std::string& body, BodyShare& share);
  static bool make_room(std::string& body, std::uint64_t bytes, std::uint64_t bytes_max,
                        BodyShare& share);
  async::Task<bool> wait_for_turn(std::uint64_t have);
  void end_turn(std::uint64_t have, std::size_t got);
  async::Task<BodyRead> read_sized_body(std::uint64_t bytes, std::string& body, BodyShare& share);
  async::Task<BodyRead> read_chunked_body(std::uint64_t bytes_max, std::string& body,
                                          BodyShare& share);
  BodyRead fault_with(model::HttpFault fault);
  BodyRead body_ended_early();
  void arm_body(std::uint64_t bytes_read);
  async::Task<Next> answer_fault(model::HttpFault fault, model::HttpRequest request);
  Terms terms_of_early_answer(const RequestFraming& framing, Terms terms);
  async::Task<Next> answer(Terms terms, model::HttpResponse answer);
  async::Task<> send(std::string_view first, std::string_view second);
  async::Task<> linger();

  ServerState& state_;
  Stream stream_;
  SystemClock clock_;
  ReadBuffer buffer_;
  std::string out_;
  std::string peer_;
  std::size_t head_bytes_ = 0;
  Monotonic body_started_;
  model::HttpFault fault_ = model::HttpFault::bad_request;  // of the last BodyRead::fault
  SocketError error_;                                       // of the last operation
  bool trusted_peer_;
  bool secure_;
  std::vector<std::string> certificates_;  // of the client
  bool ending_ = false;
};

}  // namespace grapnel::http
