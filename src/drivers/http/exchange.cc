#include "drivers/http/exchange.h"

#include <fmt/format.h>

#include <algorithm>

#include "drivers/http/chunk_decoder.h"

namespace grapnel::http {
namespace {

using model::AttemptStep;

constexpr int kSwitchingProtocols = 101;

bool is_interim(int status) { return status < 200 && status != kSwitchingProtocols; }

/// Drops `sent` bytes from the front of two texts that follow each other.
void advance(std::string_view& first, std::string_view& second, std::size_t sent) {
  const std::size_t of_first = std::min(sent, first.size());
  first.remove_prefix(of_first);
  second.remove_prefix(sent - of_first);
}

}  // namespace

async::Task<Exchange::Outcome> Exchange::run() {
  connection_.arm(plan_.deadline);
  if (!co_await send()) co_return Outcome::failed;
  const Outcome head = co_await read_head();
  if (head != Outcome::answered) co_return head;
  co_return co_await read_body() ? Outcome::answered : Outcome::failed;
}

/// False when the call was interrupted. A send error alone is only noted: an endpoint that answers
/// early may close before it has read everything, and then its answer counts.
async::Task<bool> Exchange::send() {
  std::string& out = connection_.out;
  write_request_head(plan_, out);
  std::string_view body = plan_.call.body;
  if (plan_.url.scheme == Scheme::https && body.size() <= kGatherBytesMin) {
    out += body;  // one TLS record
    body = {};
  }
  std::string_view head = out;
  advance(head, body, connection_.stream.write_now(head, body));
  if (!head.empty() || !body.empty()) {
    co_await connection_.stream.write(head, body, send_error_);
    if (auto stop = co_await interruption(plan_, connection_, "sending the request to")) {
      failure_ = std::move(*stop);
      co_return false;
    }
  }
  sent_ = clock_.monotonic();
  co_return true;
}

async::Task<Exchange::Outcome> Exchange::read_head() {
  ReadBuffer& buffer = connection_.buffer;
  const AnswerTo request =
      plan_.call.method == "HEAD" ? AnswerTo::head_request : AnswerTo::other_request;
  std::size_t scanned = 0;
  for (int interim = 0; interim <= kInterimAnswersMax;) {
    const std::size_t head_bytes = find_head_end(buffer.readable(), scanned);
    if (head_bytes == 0) {
      if (buffer.readable().size() >= kAnswerHeadBytesMax) {
        fail_reading("its header fields are too long");
        co_return Outcome::failed;
      }
      switch (co_await read_more(began_ ? "reading the answer of" : "waiting for the answer of")) {
        case Got::bytes: note_first_byte(); break;
        case Got::end: co_return ended_before_head();
        case Got::failed: co_return Outcome::failed;
      }
      continue;
    }
    AnswerHead head;
    auto problem = parse_answer_head(buffer.readable().substr(0, head_bytes), request, head);
    if (problem) {
      fail_reading(std::move(*problem));
      co_return Outcome::failed;
    }
    buffer.consume(head_bytes);
    scanned = 0;
    if (is_interim(head.status)) {
      ++interim;
      continue;
    }
    answer_.status = head.status;
    answer_.headers = std::move(head.headers);
    framing_ = head.framing;
    if (head.status == kSwitchingProtocols) framing_.keep_alive = false;
    co_return Outcome::answered;
  }
  fail_reading("too many interim answers");
  co_return Outcome::failed;
}

void Exchange::note_first_byte() {
  if (std::exchange(began_, true)) return;
  answer_.timings.first_byte_us = to_micros(clock_.monotonic() - sent_);
}

Exchange::Outcome Exchange::ended_before_head() {
  if (!began_ && connection_.origin == ClientConnection::Origin::kept) return Outcome::stale;
  if (send_error_) {
    failure_ = failed_at(AttemptStep::send, fmt::format("sending the request to {} failed: {}",
                                                        plan_.where, send_error_.message()));
  } else if (began_) {
    fail_reading("the connection ended inside the header");
  } else {
    const bool ended = read_error_ == boost::asio::error::eof;
    fail_reading(!ended ? fmt::format("no answer: {}", read_error_.message())
                        : "the connection ended without an answer");
  }
  return Outcome::failed;
}

async::Task<bool> Exchange::read_body() {
  switch (framing_.body) {
    case BodyKind::none: co_return true;
    case BodyKind::length: co_return co_await read_sized_body(framing_.bytes);
    case BodyKind::chunked: co_return co_await read_chunked_body();
    case BodyKind::until_close: co_return co_await read_body_until_close();
  }
  co_return true;
}

async::Task<bool> Exchange::read_sized_body(std::uint64_t bytes) {
  ReadBuffer& buffer = connection_.buffer;
  while (body_bytes_ < bytes && !cut_) {
    const std::string_view here = buffer.readable().substr(0, bytes - body_bytes_);
    if (!here.empty()) {
      take(here);
      buffer.consume(here.size());
      continue;
    }
    const Got got = co_await read_more("reading the answer of");
    if (got == Got::failed) co_return false;
    if (got == Got::end) {
      co_return fail_reading(
          fmt::format("the connection ended after {} of {} bytes of the body", body_bytes_, bytes));
    }
  }
  co_return true;
}

async::Task<bool> Exchange::read_chunked_body() {
  ReadBuffer& buffer = connection_.buffer;
  ChunkDecoder decoder;
  while (!cut_) {
    std::string_view input = buffer.readable();
    const std::size_t before = input.size();
    const auto [step, data] = decoder.next(input);
    if (step == ChunkDecoder::Step::data) take(data);
    buffer.consume(before - input.size());
    if (step == ChunkDecoder::Step::done) co_return true;
    if (step == ChunkDecoder::Step::malformed) co_return fail_reading("its chunks are malformed");
    if (step == ChunkDecoder::Step::data) continue;
    const Got got = co_await read_more("reading the answer of");
    if (got == Got::failed) co_return false;
    if (got == Got::end) co_return fail_reading("the connection ended inside the body");
  }
  co_return true;
}

async::Task<bool> Exchange::read_body_until_close() {
  ReadBuffer& buffer = connection_.buffer;
  while (!cut_) {
    take(buffer.readable());
    buffer.consume(buffer.readable().size());
    if (cut_) break;
    const Got got = co_await read_more("reading the answer of");
    if (got == Got::failed) co_return false;
    if (got == Got::bytes) continue;
    // A reset is no end: what came may be a part. (TLS peers that leave out close_notify are
    // common.)
    if (read_error_ == boost::asio::error::connection_reset) {
      co_return fail_reading("the connection was reset inside the body");
    }
    break;
  }
  co_return true;
}

/// `end`: the peer or the network ended it, see read_error_.
async::Task<Exchange::Got> Exchange::read_more(std::string_view doing) {
  // A cancellation between two operations ends neither.
  const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != boost::asio::cancellation_type::none) {
    failure_ = canceled_call();
    co_return Got::failed;
  }
  const auto room = connection_.buffer.prepare(kAnswerHeadBytesMax);
  const std::size_t got = co_await connection_.stream.read_some(room, read_error_);
  connection_.buffer.commit(got);
  if (got > 0 && !connection_.expired()) co_return Got::bytes;
  if (auto stop = co_await interruption(plan_, connection_, doing)) {
    failure_ = std::move(*stop);
    co_return Got::failed;
  }
  co_return got > 0 ? Got::bytes : Got::end;
}

/// Keeps the excerpt. Once it is full, reading on only serves to use the connection again, which is
/// worth response_bytes_max and no more.
void Exchange::take(std::string_view body) {
  const auto& call = plan_.call;
  body_bytes_ += body.size();
  const std::size_t room = call.response_bytes_kept - answer_.body.size();
  answer_.body.append(body.substr(0, room));
  const std::uint64_t expected = std::max(body_bytes_, framing_.bytes);
  const bool too_long = expected > call.response_bytes_max;
  cut_ = too_long &&
         (answer_.body.size() == call.response_bytes_kept || body_bytes_ > call.response_bytes_max);
}

/// False, for the caller's convenience.
bool Exchange::fail_reading(std::string what) {
  failure_ = failed_at(AttemptStep::response,
                       fmt::format("reading the answer of {} failed: {}", plan_.where, what));
  return false;
}

}  // namespace grapnel::http
