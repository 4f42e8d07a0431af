#include "drivers/http/server.h"

#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "async/notify.h"
#include "drivers/http/loop_thread.h"
#include "drivers/http/raw_socket.h"

namespace grapnel::http {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Answers with what it saw; paths choose the special cases.
class Echo final : public model::HttpHandler {
 public:
  explicit Echo(async::Executor executor) : gate(executor) {}

  std::variant<model::BodyAllowance, model::HttpResponse> admit(
      const model::HttpRequest& head) override {
    admitted_body_bytes += head.body.size();
    if (head.target == "/early")
      return model::HttpResponse{.status = 404, .headers = {}, .body = "early"};
    return model::BodyAllowance{.bytes_max = body_bytes_max, .payer = head.target};
  }
  async::Task<model::HttpResponse> handle(model::HttpRequest request) override {
    last = request;
    if (request.target.starts_with("/wait")) {
      ++waiting;
      co_await gate.wait();
    }
    model::HttpResponse out{
        .status = 200, .headers = {{"X-Handler", "echo"}}, .body = request.body};
    if (request.target == "/close") out.close = true;
    if (request.target == "/none") out.status = 204;
    if (request.target == "/large") out.body.assign(300'000, 'L');
    if (request.target == "/evil") {
      out.headers = {{"X-Split", "a\r\nX-Injected: b"},
                     {"Content-Length", "999"},
                     {"date", "x"},
                     {"Transfer-Encoding", "chunked"},
                     {"Connection", "upgrade"}};
    }
    co_return out;
  }
  model::HttpResponse fault(model::HttpFault fault, const model::HttpRequest& head) override {
    static constexpr std::array kStatus = {400, 408, 411, 413, 431, 429, 501};
    return {.status = kStatus.at(static_cast<std::size_t>(fault)),
            .headers = {},
            .body = "fault for " + head.remote};
  }

  std::uint64_t body_bytes_max = 1'000'000;
  std::size_t admitted_body_bytes = 0;
  model::HttpRequest last;
  async::Notify gate;
  std::atomic<int> waiting = 0;
};

constexpr std::chrono::milliseconds kSoon{40};

class HttpServer : public testing::Test {
 protected:
  ~HttpServer() override {
    if (!server_) return;
    stop(std::chrono::milliseconds(0));
    loop_.call([this] { server_.reset(); });
  }

  void start(ServerOptions options = {}) {
    options.address = "127.0.0.1";
    const auto started = loop_.call([&] {
      server_.emplace(loop_.executor(), std::move(options), handler_);
      return server_->start();
    });
    ASSERT_TRUE(started.has_value()) << started.error().message();
  }
  void stop(std::chrono::milliseconds patience) {
    loop_.run(server_->stop(async::Deadline(std::chrono::steady_clock::now() + patience)));
  }
  RawSocket connect() { return RawSocket::connect(server_->port()); }
  ServerStats stats() {
    return loop_.call([this] { return server_->stats(); });
  }
  /// Waits for what other threads bring about; each look is a turn of the loop.
  template <class Condition>
  void until(Condition condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition() && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
    EXPECT_TRUE(condition());
  }
  void open_gate() {
    until([this] { return handler_.waiting > 0; });
    loop_.call([this] { handler_.gate.notify_all(); });
  }
  /// Sends a request of its own connection and returns all of the answer.
  std::string ask(std::string_view request) {
    RawSocket socket = connect();
    socket.send(request);
    return socket.read_message();
  }

  LoopThread loop_;
  Echo handler_{loop_.executor()};
  std::optional<Server> server_;
};

std::string post(std::string_view body, std::string_view fields = "",
                 std::string_view target = "/") {
  return fmt::format("POST {} HTTP/1.1\r\nHost: a\r\n{}Content-Length: {}\r\n\r\n{}", target,
                     fields, body.size(), body);
}

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(HttpServer, TakenPortIsAnErrorThatNamesIt) {
  start();
  ServerOptions options{.address = "127.0.0.1", .port = server_->port()};
  loop_.call([&] {
    Server second(loop_.executor(), options, handler_);
    const auto started = second.start();
    ASSERT_FALSE(started.has_value());
    EXPECT_THAT(started.error().message(), HasSubstr(std::to_string(options.port)));
  });
}

TEST_F(HttpServer, SmugglingAttemptsEndTheConnection) {
  start();
  for (const char* framing : {"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
                              "Content-Length: 4\r\nContent-Length: 5\r\n", "X: a\r\n b\r\n",
                              "Transfer-Encoding : chunked\r\n"}) {
    RawSocket socket = connect();
    socket.send(
        fmt::format("POST / HTTP/1.1\r\nHost: a\r\n{}\r\n0\r\n\r\nGET /second HTTP/1.1\r\n"
                    "Host: a\r\n\r\n",
                    framing));
    const std::string all = socket.read_to_end();
    EXPECT_THAT(all, StartsWith("HTTP/1.1 400 ")) << framing;
    EXPECT_THAT(all, HasSubstr("Connection: close")) << framing;
    EXPECT_EQ(all.find("HTTP/1.1", 1), std::string::npos) << framing;
  }
  EXPECT_EQ(stats().faulted(model::HttpFault::bad_request), 4u);
}

TEST_F(HttpServer, GarbageIsAnsweredAndClosed) {
  start();
  RawSocket socket = connect();
  socket.send("\x16\x03\x01");  // a TLS greeting on a plain port: no need to wait for its end
  EXPECT_THAT(socket.read_to_end(), StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpServer, SlowHeadIsCutOffHoweverItTrickles) {
  start({.timeouts = {.head = kSoon, .linger = kSoon}});
  RawSocket socket = connect();
  std::string answer;
  // A byte now and then earns no time: the whole head must come within the bound.
  std::thread trickle([&] {
    for (int i = 0; i < 1'000'000 && socket.send("x"); ++i) std::this_thread::yield();
  });
  socket.send("GET / HTTP/1.1\r\nX: ");
  answer = socket.read_until("\r\n\r\n");
  trickle.join();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ") || answer.starts_with("HTTP/1.1 431 ")) << answer;
}

TEST_F(HttpServer, SilentHeadTimesOut) {
  start({.timeouts = {.head = kSoon, .linger = kSoon}});
  RawSocket socket = connect();
  socket.send("GET / HT");
  EXPECT_THAT(socket.read_to_end(), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(stats().faulted(model::HttpFault::timeout), 1u);
}

TEST_F(HttpServer, SilentBodyTimesOut) {
  start({.timeouts = {.body = kSoon, .linger = kSoon}});
  RawSocket socket = connect();
  socket.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
  EXPECT_THAT(socket.read_to_end(), StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpServer, IdleConnectionsAreClosedWithoutAWord) {
  start({.timeouts = {.idle = kSoon}});
  RawSocket socket = connect();
  socket.send(kGet);
  EXPECT_THAT(socket.read_message(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(socket.read_to_end(), "");
}

TEST_F(HttpServer, PeerThatTakesNoAnswerIsCutOff) {
  start({.timeouts = {.body_bytes_per_second_min = 100'000'000, .write = kSoon}});
  handler_.body_bytes_max = 32'000'000;
  RawSocket socket = connect();
  socket.send(post(std::string(32'000'000, 'x')));
  until([this] { return stats().connections == 0; });
  EXPECT_EQ(stats().answers_cut, 1u);
}

TEST_F(HttpServer, TooLongHeadIs431) {
  start();
  RawSocket socket = connect();
  socket.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(model::kHeaderBytesMax, 'x'));
  EXPECT_THAT(socket.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServer, TooLongBodyIs413BeforeAnyOfItIsRead) {
  start();
  RawSocket socket = connect();
  socket.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000001\r\n\r\n");
  EXPECT_THAT(socket.read_message(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServer, RefusedSenderSeesTheAnswerThoughItKeepsSending) {
  start();
  RawSocket socket = connect();
  const std::string body(5'000'000, 'x');
  socket.send(fmt::format("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.size()));
  EXPECT_TRUE(socket.send(body));
  EXPECT_THAT(socket.read_message(), StartsWith("HTTP/1.1 413 "));
  EXPECT_TRUE(socket.ended());
  EXPECT_FALSE(socket.was_reset());
}

TEST_F(HttpServer, ChunkedBodyBeyondTheBoundIs413) {
  start();
  handler_.body_bytes_max = 10;
  RawSocket socket = connect();
  socket.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n");
  socket.send("6\r\nabcdef\r\n");
  EXPECT_THAT(socket.read_message(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServer, MalformedChunkIs400) {
  start();
  RawSocket socket = connect();
  socket.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\n");
  EXPECT_THAT(socket.read_message(), StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpServer, BytesInFlightAreBoundedAndGivenBack) {
  start({.body_bytes_in_flight_max = 1'000});
  RawSocket one = connect();
  one.send(post(std::string(450, 'x'), "", "/wait"));
  RawSocket other = connect();
  other.send(post(std::string(250, 'x'), "", "/wait-too"));
  until([this] { return handler_.waiting == 2; });
  EXPECT_EQ(stats().body_bytes, 700u);
  EXPECT_THAT(ask(post(std::string(200, 'y'))), StartsWith("HTTP/1.1 429 "));
  EXPECT_EQ(stats().faulted(model::HttpFault::too_many_in_flight), 1u);
  EXPECT_THAT(ask(post(std::string(100, 'y'))), StartsWith("HTTP/1.1 200 "));
  open_gate();
  EXPECT_THAT(one.read_message(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(other.read_message(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask(post(std::string(500, 'y'))), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(stats().body_bytes, 0u);
}

TEST_F(HttpServer, OnePayerHoldsHalfOfWhatTheOthersLeaveAtMost) {
  start({.body_bytes_in_flight_max = 1'000});
  RawSocket greedy = connect();
  greedy.send(post(std::string(450, 'x'), "", "/wait"));
  until([this] { return handler_.waiting == 1; });
  EXPECT_THAT(ask(post(std::string(100, 'x'), "", "/wait")), StartsWith("HTTP/1.1 429 "));
  EXPECT_THAT(ask(post(std::string(275, 'y'))), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask(post(std::string(276, 'y'))), StartsWith("HTTP/1.1 429 "));
  open_gate();
  EXPECT_THAT(greedy.read_message(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServer, DeclaredLengthAloneHoldsNoBytes) {
  start({.body_bytes_in_flight_max = 200'000});
  RawSocket liar = connect();
  liar.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n");
  until([this] { return stats().requests == 1; });
  EXPECT_LE(stats().body_bytes, kBodyStepBytes);
  EXPECT_THAT(ask(post(std::string(1'000, 'y'))), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServer, ResetPeersLeaveNothingBehind) {
  start();
  for (const char* part :
       {"", "GET", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab"}) {
    RawSocket socket = connect();
    socket.send(part);
    socket.reset();
  }
  until([this] { return stats().accepted == 5 && stats().connections == 0; });
  EXPECT_EQ(stats().body_bytes, 0u);
  EXPECT_THAT(ask(kGet), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServer, FullServerClosesTheOldestAtRestForANewcomer) {
  start({.connections_max = 2});
  RawSocket oldest = connect();
  oldest.send(kGet);
  oldest.read_message();
  RawSocket newer = connect();
  newer.send(kGet);
  newer.read_message();
  until([this] { return stats().idle == 2; });
  EXPECT_THAT(ask(kGet), StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(oldest.ended());
  newer.send(kGet);
  EXPECT_THAT(newer.read_message(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(stats().evicted, 1u);
}

TEST_F(HttpServer, FullServerWithoutOneAtRestRefuses) {
  start({.connections_max = 1});
  RawSocket busy = connect();
  busy.send(post("x", "", "/wait"));
  until([this] { return handler_.waiting == 1; });
  RawSocket refused = connect();
  EXPECT_TRUE(refused.ended());
  EXPECT_EQ(stats().refused, 1u);
  open_gate();
  EXPECT_THAT(busy.read_message(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServer, BodiesArriveByteForByte) {
  start();
  std::string body;
  for (int i = 0; i < 200'000; ++i) body += static_cast<char>(i * 7 + i / 256);
  EXPECT_TRUE(ask(post(body)).ends_with("\r\n\r\n" + body));
  EXPECT_EQ(handler_.admitted_body_bytes, 0u);
}

TEST_F(HttpServer, LargeBodiesArriveByteForByteWhateverTheirFraming) {
  handler_.body_bytes_max = 32'000'000;
  start();
  std::string body;
  while (body.size() < 3 * kLargeBodyBytesMin) body += static_cast<char>(body.size() * 7 % 251);
  EXPECT_TRUE(ask(post(body)).ends_with("\r\n\r\n" + body));
  std::string chunks;
  for (std::size_t at = 0; at < body.size(); at += 10'000) {
    const auto piece = std::string_view(body).substr(at, 10'000);
    chunks += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
  }
  RawSocket socket = connect();
  socket.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks +
              "0\r\n\r\n");
  EXPECT_TRUE(socket.read_message().ends_with("\r\n\r\n" + body));
  until([this] { return stats().body_bytes == 0; });
}

TEST_F(HttpServer, ChunkedBodiesAreJoined) {
  start();
  RawSocket socket = connect();
  socket.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
  socket.send("lo\r\n1;x=y\r\n!\r\n0\r\nTrailer: t\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(socket.read_message().ends_with("hello!"));
  EXPECT_THAT(socket.read_message(), StartsWith("HTTP/1.1 200 "));
  loop_.call([this] {
    for (const auto& header : handler_.last.headers) EXPECT_NE(header.name, "Trailer");
  });
}

TEST_F(HttpServer, PipelinedRequestsAreAnsweredInOrder) {
  start();
  RawSocket socket = connect();
  std::string all = "\r\n";
  for (int i = 0; i < 50; ++i) all += post(std::to_string(i));
  socket.send(all);
  for (int i = 0; i < 50; ++i)
    EXPECT_TRUE(socket.read_message().ends_with("\r\n" + std::to_string(i)));
}

TEST_F(HttpServer, ContinueIsSaidOnlyOnceTheHeadIsAdmitted) {
  start();
  RawSocket socket = connect();
  socket.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("ok");
  EXPECT_TRUE(socket.read_message().ends_with("ok"));
  RawSocket refused = connect();
  refused.send(
      "POST /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_THAT(refused.read_message(), StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpServer, EarlyAnswerKeepsTheConnectionWhenTheBodyIsHereAlready) {
  start();
  RawSocket socket = connect();
  socket.send(post("unwanted", "", "/early") + std::string(kGet));
  EXPECT_THAT(socket.read_message(), AllOf(StartsWith("HTTP/1.1 404 "), Not(HasSubstr("close"))));
  EXPECT_THAT(socket.read_message(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServer, Http10IsClosedUnlessItAsksToBeKept) {
  start();
  RawSocket socket = connect();
  socket.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(socket.read_message(), HasSubstr("Connection: keep-alive"));
  socket.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(socket.read_message(), HasSubstr("Connection: close"));
  EXPECT_TRUE(socket.ended());
  EXPECT_THAT(ask("POST / HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 411 "));
}

TEST_F(HttpServer, HeadAndEmptyStatusesHaveNoBody) {
  start();
  RawSocket socket = connect();
  socket.send("HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(socket.read_until("\r\n\r\n"), HasSubstr("Content-Length: 300000\r\n"));
  socket.send(post("dropped", "", "/none"));
  EXPECT_THAT(socket.read_until("\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 204 "), Not(HasSubstr("Content-Length"))));
  socket.send(kGet);
  EXPECT_THAT(socket.read_message(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServer, LargeAnswersArriveWhole) {
  start();
  EXPECT_TRUE(ask("GET /large HTTP/1.1\r\nHost: a\r\n\r\n").ends_with(std::string(300'000, 'L')));
}

TEST_F(HttpServer, HandlersCannotSplitAnswersOrSpeakForTheServer) {
  start();
  const std::string answer = ask("GET /evil HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer, AllOf(Not(HasSubstr("X-Injected")), Not(HasSubstr("999")),
                            Not(HasSubstr("chunked")), Not(HasSubstr("upgrade")),
                            HasSubstr("Content-Length: 0\r\n"), HasSubstr(" GMT\r\n")));
}

TEST_F(HttpServer, HandlerCanEndTheConnection) {
  start();
  RawSocket socket = connect();
  socket.send("GET /close HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(socket.read_to_end(), HasSubstr("Connection: close"));
}

TEST_F(HttpServer, RemoteIsThePeerUnlessATrustedProxySaysOtherwise) {
  start();
  ask(post("", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"));
  EXPECT_THAT(handler_.last.remote, StartsWith("127.0.0.1:"));
  EXPECT_FALSE(handler_.last.secure);
}

TEST_F(HttpServer, TrustedProxyNamesTheClient) {
  start({.trusted_proxies = {*Cidr::parse("127.0.0.0/8")}});
  ask(post("", "X-Forwarded-For: 1.1.1.1, 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"));
  EXPECT_EQ(handler_.last.remote, "203.0.113.9");
  EXPECT_TRUE(handler_.last.secure);
}

TEST_F(HttpServer, DrainFinishesWhatIsUnderWayAndClosesWhatRests) {
  start();
  RawSocket resting = connect();
  resting.send(kGet);
  resting.read_message();
  RawSocket busy = connect();
  busy.send(post("x", "", "/wait") + std::string(kGet));
  until([this] { return handler_.waiting == 1 && stats().idle == 1; });
  loop_.call([this] { server_->begin_drain(); });
  EXPECT_TRUE(resting.ended());
  EXPECT_FALSE(RawSocket::connect(server_->port()).is_open());
  open_gate();
  EXPECT_THAT(busy.read_message(),
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Connection: close")));
  EXPECT_TRUE(busy.ended());
  busy.close();
  stop(std::chrono::seconds(10));
  EXPECT_EQ(stats().connections, 0u);
}

TEST_F(HttpServer, StopAtItsDeadlineCancelsWhatIsLeft) {
  start();
  RawSocket busy = connect();
  busy.send(post("x", "", "/wait"));
  until([this] { return handler_.waiting == 1; });
  stop(kSoon);
  EXPECT_EQ(stats().connections, 0u);
  EXPECT_EQ(busy.read_to_end(), "");
  stop(kSoon);
}

TEST_F(HttpServer, DateIsOfNow) {
  start();
  const std::string answer = ask(kGet);
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::array<char, 64> text{};
  std::tm parts{};
  std::strftime(text.data(), text.size(), "Date: %a, %d %b %Y %H:", gmtime_r(&now, &parts));
  EXPECT_THAT(answer, HasSubstr(text.data()));
}

}  // namespace
}  // namespace grapnel::http
