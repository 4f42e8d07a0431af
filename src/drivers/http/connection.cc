#include "drivers/http/connection.h"

#include <algorithm>
#include <variant>

#include "drivers/http/chunk_decoder.h"

namespace grapnel::http {
namespace {

using model::HttpFault;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

/// Often enough for the shortest time-out, seldom enough to cost nothing.
std::chrono::milliseconds tick_for(const ServerTimeouts& timeouts) {
  const auto shortest =
      std::min({timeouts.head, timeouts.body, timeouts.idle, timeouts.write, timeouts.linger});
  constexpr int kTicksPerTimeout = 4;
  return std::clamp(shortest / kTicksPerTimeout, kTickMin, kTickMax);
}

/// RFC 9112 section 2.2: a robust server reads past an empty line before the request line.
void skip_empty_lines(ReadBuffer& buffer, std::size_t& lines_left) {
  while (lines_left > 0 && buffer.readable().starts_with("\r\n")) {
    buffer.consume(2);
    --lines_left;
  }
}

/// A TLS greeting, for one, is known by its first byte and need not be waited for.
bool may_begin_head(char c) { return c > ' ' || c == '\r'; }

/// Drops `sent` bytes from the front of two texts that follow each other.
void advance(std::string_view& first, std::string_view& second, std::size_t sent) {
  const std::size_t of_first = std::min(sent, first.size());
  first.remove_prefix(of_first);
  second.remove_prefix(sent - of_first);
}

}  // namespace

ServerState::ServerState(async::Executor executor, ServerOptions given,
                         model::HttpHandler& request_handler)
    : options(std::move(given)),
      handler(request_handler),
      proxies(options.trusted_proxies),
      bodies(options.body_bytes_in_flight_max),
      timers(executor),
      pace(timers),
      watchdog(executor, tick_for(options.timeouts)),
      idle(std::make_unique<IdleList>()) {}

ServerState::~ServerState() = default;

Connection::Connection(ServerState& state, Stream stream)
    : Watched(state.watchdog),
      state_(state),
      stream_(std::move(stream)),
      peer_(stream_.peer_text()),
      trusted_peer_(state.proxies.trusts(stream_.peer_address())),
      secure_(state.tls != nullptr) {}

async::Task<> Connection::run() {
  if (state_.tls) {
    arm(now() + state_.options.timeouts.head);
    co_await stream_.handshake_as_server(state_.tls, error_);
    if (error_) {
      ++state_.stats.tls_failures;
      co_return;
    }
    certificates_ = stream_.client_certificates();
  }
  while (co_await serve_one() == Next::keep) {
  }
}

void Connection::end_idle() {
  unlink();
  ending_ = true;
  stream_.cancel();
}

async::Task<Connection::Next> Connection::serve_one() {
  model::HttpRequest request;
  switch (co_await read_head()) {
    case HeadRead::ready: break;
    case HeadRead::closed: co_return Next::close;
    case HeadRead::timed_out:
      co_return co_await answer_fault(HttpFault::timeout, std::move(request));
    case HeadRead::garbage:
      co_return co_await answer_fault(HttpFault::bad_request, std::move(request));
    case HeadRead::too_large:
      co_return co_await answer_fault(HttpFault::head_too_large, std::move(request));
  }
  ++state_.stats.requests;
  RequestFraming framing;
  const auto fault =
      parse_request_head(buffer_.readable().substr(0, head_bytes_), request, framing);
  buffer_.consume(head_bytes_);
  identify(request);
  if (fault) co_return co_await answer_fault(*fault, std::move(request));

  Terms terms;
  if (request.method == "HEAD") terms.body = AnswerFrame::Body::left_out;
  terms.keep_alive = framing.keep_alive;
  terms.http_1_0 = framing.http_1_0;

  auto admitted = state_.handler.admit(request);
  if (auto* early = std::get_if<model::HttpResponse>(&admitted)) {
    co_return co_await answer(terms_of_early_answer(framing, terms), std::move(*early));
  }
  auto& allowed = std::get<model::BodyAllowance>(admitted);
  BodyShare share(state_.bodies, std::move(allowed.payer));
  if (framing.body != BodyKind::none) {
    switch (co_await read_body(framing, allowed.bytes_max, request.body, share)) {
      case BodyRead::done: break;
      case BodyRead::closed: co_return Next::close;
      case BodyRead::fault:
        request.body.clear();
        co_return co_await answer_fault(fault_, std::move(request));
    }
  }
  disarm();
  model::HttpResponse done = co_await state_.handler.handle(std::move(request));
  share.release();
  co_return co_await answer(terms, std::move(done));
}

async::Task<Connection::HeadRead> Connection::read_head() {
  std::size_t scanned = 0;
  std::size_t empty_lines_left = kEmptyLinesMax;
  bool started = false;
  bool rested = false;
  for (;;) {
    skip_empty_lines(buffer_, empty_lines_left);
    if (!buffer_.empty()) {
      head_bytes_ = find_head_end(buffer_.readable(), scanned);
      if (head_bytes_ > 0) co_return HeadRead::ready;
      if (!may_begin_head(buffer_.readable().front())) co_return HeadRead::garbage;
      if (buffer_.readable().size() >= model::kHeaderBytesMax) co_return HeadRead::too_large;
      if (!std::exchange(started, true)) arm(now() + state_.options.timeouts.head);
    } else if (!std::exchange(rested, true)) {
      if (state_.draining && stream_.available() == 0) co_return HeadRead::closed;
      rest();
    }
    const bool got = co_await read_more();
    unlink();
    if (got || goes_on_after_drain()) continue;
    if (expired() && started) co_return HeadRead::timed_out;
    co_return HeadRead::closed;
  }
}

/// Waits for a next request, first to go when room or an end is needed.
void Connection::rest() {
  buffer_.shrink();
  if (out_.capacity() > kReadBufferBytes) out_ = {};
  arm(now() + state_.options.timeouts.idle);
  state_.idle->push_back(*this);
}

/// A request that arrived while the drain ended this connection's rest is still answered.
bool Connection::goes_on_after_drain() {
  if (!std::exchange(ending_, false)) return false;
  return state_.draining && !expired() && stream_.available() > 0;
}

async::Task<bool> Connection::read_more() {
  const auto room = buffer_.prepare(model::kHeaderBytesMax);
  const std::size_t got = co_await stream_.read_some(room, error_);
  buffer_.commit(got);
  co_return got > 0;
}

void Connection::identify(model::HttpRequest& request) const {
  request.remote = peer_;
  request.secure = secure_;
  if (!trusted_peer_) {
    request.client_certificates = certificates_;
    return;
  }
  // A proxy's certificate says nothing about whose request it passes on.
  if (auto client = state_.proxies.client(request.headers)) request.remote = std::move(*client);
  request.secure = state_.proxies.secure(request.headers).value_or(secure_);
}

Connection::BodyRead Connection::fault_with(HttpFault fault) {
  fault_ = fault;
  return BodyRead::fault;
}

Connection::BodyRead Connection::body_ended_early() {
  if (!expired()) return BodyRead::closed;
  return fault_with(HttpFault::timeout);
}

/// Each byte read earns a little more time, so that a large body on a slow line passes and a
/// trickle does not.
void Connection::arm_body(std::uint64_t bytes_read) {
  const auto& timeouts = state_.options.timeouts;
  const std::uint64_t earned_ms = bytes_read * 1'000 / timeouts.body_bytes_per_second_min;
  arm(body_started_ + timeouts.body + std::chrono::milliseconds(earned_ms));
}

async::Task<Connection::BodyRead> Connection::read_body(const RequestFraming& framing,
                                                        std::uint64_t bytes_max, std::string& body,
                                                        BodyShare& share) {
  if (framing.body == BodyKind::length && framing.bytes > bytes_max) {
    co_return fault_with(HttpFault::body_too_large);
  }
  body_started_ = now();
  arm_body(0);
  if (framing.expects_continue && buffer_.empty()) {
    co_await stream_.write(kContinue, {}, error_);
    if (error_) co_return body_ended_early();
  }
  if (framing.body == BodyKind::length) {
    co_return co_await read_sized_body(framing.bytes, body, share);
  }
  co_return co_await read_chunked_body(bytes_max, body, share);
}

/// Makes room for `bytes` of a body that has at most `bytes_max`. False when the budget has none.
bool Connection::make_room(std::string& body, std::uint64_t bytes, std::uint64_t bytes_max,
                           BodyShare& share) {
  if (bytes <= share.bytes()) return true;
  const std::uint64_t next =
      std::min(bytes_max, std::max<std::uint64_t>({bytes, 2 * share.bytes(), kBodyStepBytes}));
  if (!share.grow_to(next)) return false;
  // Of a large body the rest is reserved, not touched: growing on would copy it on the loop.
  body.reserve(next <= kLargeBodyBytesMin ? next : bytes_max);
  return true;
}

/// Waits until a body of which `have` bytes came may be read on: large ones take turns. False when
/// its deadline struck meanwhile: there was no operation that it could have ended.
async::Task<bool> Connection::wait_for_turn(std::uint64_t have) {
  arm_body(have);
  if (have >= kLargeBodyBytesMin && !state_.pace.is_free()) {
    ++state_.stats.body_waits;
    co_await state_.pace.turn();
  }
  co_return !expired();
}

void Connection::end_turn(std::uint64_t have, std::size_t got) {
  if (have >= kLargeBodyBytesMin) state_.pace.used(got);
}

async::Task<Connection::BodyRead> Connection::read_sized_body(std::uint64_t bytes,
                                                              std::string& body, BodyShare& share) {
  const std::string_view ahead = buffer_.readable().substr(0, bytes);
  if (!make_room(body, ahead.size(), bytes, share)) {
    co_return fault_with(HttpFault::too_many_in_flight);
  }
  body = ahead;
  buffer_.consume(ahead.size());
  std::uint64_t have = body.size();
  while (have < bytes) {
    if (have == body.size()) {
      if (!make_room(body, have + 1, bytes, share)) {
        co_return fault_with(HttpFault::too_many_in_flight);
      }
      body.resize(std::min(share.bytes(), have + kBodyReadBytes));
    }
    if (!co_await wait_for_turn(have)) co_return body_ended_early();
    const std::size_t got = co_await stream_.read_some(std::span(body).subspan(have), error_);
    end_turn(have, got);
    have += got;
    if (got == 0) co_return body_ended_early();
  }
  co_return BodyRead::done;
}

async::Task<Connection::BodyRead> Connection::read_chunked_body(std::uint64_t bytes_max,
                                                                std::string& body,
                                                                BodyShare& share) {
  ChunkDecoder decoder;
  for (;;) {
    std::string_view input = buffer_.readable();
    const std::size_t before = input.size();
    const auto [step, data] = decoder.next(input);
    switch (step) {
      case ChunkDecoder::Step::data: {
        const std::uint64_t have = body.size() + data.size();
        if (have > bytes_max) co_return fault_with(HttpFault::body_too_large);
        if (!make_room(body, have, bytes_max, share)) {
          co_return fault_with(HttpFault::too_many_in_flight);
        }
        body += data;
        break;
      }
      case ChunkDecoder::Step::done:
        buffer_.consume(before - input.size());
        co_return BodyRead::done;
      case ChunkDecoder::Step::malformed: co_return fault_with(HttpFault::bad_request);
      case ChunkDecoder::Step::need_more: break;
    }
    buffer_.consume(before - input.size());
    if (step != ChunkDecoder::Step::need_more) continue;
    if (!co_await wait_for_turn(body.size())) co_return body_ended_early();
    if (body.size() >= kLargeBodyBytesMin) buffer_.reserve(kChunksReadBytes);
    const bool got = co_await read_more();
    end_turn(body.size(), buffer_.readable().size());
    if (!got) co_return body_ended_early();
  }
}

async::Task<Connection::Next> Connection::answer_fault(HttpFault fault,
                                                       model::HttpRequest request) {
  ++state_.stats.faults[static_cast<std::size_t>(fault)];
  if (request.remote.empty()) identify(request);
  model::HttpResponse worded = state_.handler.fault(fault, request);
  Terms terms;
  if (request.method == "HEAD") terms.body = AnswerFrame::Body::left_out;
  terms.body_unread = true;
  co_return co_await answer(terms, std::move(worded));
}

/// The connection can be kept only if the unwanted body is here already, to be dropped.
Connection::Terms Connection::terms_of_early_answer(const RequestFraming& framing, Terms terms) {
  if (framing.body == BodyKind::none) return terms;
  if (framing.body == BodyKind::length && framing.bytes <= buffer_.readable().size()) {
    buffer_.consume(framing.bytes);
    return terms;
  }
  terms.body_unread = true;
  return terms;
}

async::Task<Connection::Next> Connection::answer(Terms terms, model::HttpResponse answer) {
  const bool keep = terms.keep_alive && !terms.body_unread && !answer.close && !state_.draining;
  AnswerFrame frame{.body = terms.body};
  if (!keep) {
    frame.connection = AnswerFrame::Connection::close;
  } else if (terms.http_1_0) {
    frame.connection = AnswerFrame::Connection::keep_alive;
  }
  out_.clear();
  write_answer_head(answer, frame, state_.date.at(now()), out_);
  std::string_view body = answer.body;
  if (terms.body == AnswerFrame::Body::left_out || !has_body(answer.status)) body = {};
  if (body.size() <= kGatherBytesMin) {
    out_ += body;
    body = {};
  }
  std::string_view head = out_;
  advance(head, body, stream_.write_now(head, body));
  error_ = {};
  if (!head.empty() || !body.empty()) co_await send(head, body);
  if (error_) co_return Next::close;
  if (keep) co_return Next::keep;
  if (terms.body_unread || !buffer_.empty() || stream_.available() > 0) co_await linger();
  co_return Next::close;
}

async::Task<> Connection::send(std::string_view first, std::string_view second) {
  const auto& timeouts = state_.options.timeouts;
  const std::uint64_t bytes = first.size() + second.size();
  arm(now() + timeouts.write +
      std::chrono::milliseconds(bytes * 1'000 / timeouts.body_bytes_per_second_min));
  co_await stream_.write(first, second, error_);
  if (expired()) ++state_.stats.answers_cut;
}

/// Closing with unread bytes would reset the connection and could cost the peer the answer.
async::Task<> Connection::linger() {
  stream_.shutdown_send();
  arm(now() + state_.options.timeouts.linger);
  std::uint64_t dropped = buffer_.readable().size();
  buffer_.consume(buffer_.readable().size());
  while (dropped < kLingerBytesMax && !expired()) {
    const auto room = buffer_.prepare(kLingerStepBytes);
    const std::size_t got = co_await stream_.read_some(room, error_);
    if (got == 0) co_return;
    dropped += got;
  }
}

}  // namespace grapnel::http
