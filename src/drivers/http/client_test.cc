#include "drivers/http/client.h"

#include <boost/asio/cancellation_signal.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/http/client_fixture.h"

namespace grapnel::http {
namespace {

using testing::Not;
using testing::StartsWith;

TEST_F(HttpClient, BadTargetsAndHeadersFailBeforeAnythingIsSent) {
  expect_failure(send({.url = "ftp://example.com/"}), AttemptStep::prepare, "scheme");
  expect_failure(send({.url = "http://127.0.0.1/", .headers = {{"X", "a\r\nY: b"}}}),
                 AttemptStep::prepare, "header X");
  expect_failure(send({.url = "http://127.0.0.1/", .headers = {{"X:", "a"}}}), AttemptStep::prepare,
                 "header name");
  expect_failure(send({.method = "GET /x", .url = "http://127.0.0.1/"}), AttemptStep::prepare,
                 "method");
}

TEST_F(HttpClient, ClosedPortIsAConnectFailure) {
  std::uint16_t port = 0;
  {
    RawServer gone({});
    port = gone.port();
  }
  const Outcome outcome =
      send({.url = "http://127.0.0.1:" + std::to_string(port) + "/secret-path"});
  expect_failure(outcome, AttemptStep::connect, "127.0.0.1");
  EXPECT_THAT(outcome.error().message, Not(HasSubstr("secret-path")));
  EXPECT_GE(outcome.error().timings.connect_us, 0);
  EXPECT_EQ(outcome.error().timings.first_byte_us, -1);
}

TEST_F(HttpClient, RudeEndsAreNamedExactly) {
  struct Rude {
    RawServer::Script play;
    AttemptStep step;
    const char* message;
  };
  const std::vector<Rude> all = {
      {[](RawSocket& peer) { peer.read_message(); }, AttemptStep::response, "without an answer"},
      {[](RawSocket& peer) {
         peer.read_message();
         peer.reset();
       },
       AttemptStep::response, "reset"},
      {answers("HTTP/1.1 200 OK\r\nX: "), AttemptStep::response, "inside the header"},
      {answers("SSH-2.0-OpenSSH_9.2\r\n\r\n"), AttemptStep::response, "no HTTP/1.1 answer"},
      {answers("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), AttemptStep::response,
       "3 of 10 bytes"},
      {answers("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc"),
       AttemptStep::response, "no HTTP/1.1 answer"},
      {answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
       AttemptStep::response, "inside the body"},
      {answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
       AttemptStep::response, "chunks"},
      {answers("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n"),
       AttemptStep::response, "too long"},
  };
  for (const auto& rude : all) {
    RawServer server({rude.play});
    expect_failure(send_to(server), rude.step, rude.message);
  }
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (std::size_t i = 0; i <= kAnswerHeadersMax; ++i) many += "X: y\r\n";
  RawServer server({answers(many + "\r\n")});
  expect_failure(send_to(server), AttemptStep::response, "too many header fields");
  EXPECT_EQ(stats().idle, 0u);
}

TEST_F(HttpClient, SilentEndpointTimesOutAndTheMessageSaysWhere) {
  RawServer server({[](RawSocket& peer) {
    peer.read_message();
    peer.ended();
  }});
  model::HttpCall silent = call(server);
  silent.timeout = kShort;
  expect_failure(send(silent), AttemptStep::timeout,
                 "timed out after 150ms while waiting for the answer");
}

TEST_F(HttpClient, TrickledBodyTimesOut) {
  RawServer server({[](RawSocket& peer) {
    peer.read_message();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    while (peer.send("x")) std::this_thread::yield();
  }});
  model::HttpCall slow = call(server);
  slow.timeout = kShort;
  slow.response_bytes_max = 200'000'000;
  expect_failure(send(slow), AttemptStep::timeout, "while reading the answer");
}

TEST_F(HttpClient, EndpointThatReadsNothingTimesOutInTheSend) {
  std::promise<void> enough;
  RawServer deaf({[&](RawSocket& peer) {
    peer.read_until("\r\n\r\n");
    enough.get_future().wait();
  }});
  const std::string body(64'000'000, 'x');
  expect_failure(send({.url = deaf.url(), .body = body, .timeout = kShort}), AttemptStep::timeout,
                 "while sending the request");
  enough.set_value();
}

TEST_F(HttpClient, EndlessAnswersAreStillAnswers) {
  RawServer server({
      [](RawSocket& peer) {
        peer.read_message();
        peer.send("HTTP/1.1 500 Oops\r\n\r\n");
        while (peer.send("endless")) {
        }
      },
      [](RawSocket& peer) {
        peer.read_message();
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while (peer.send("7\r\nendless\r\n")) {
        }
      },
      [](RawSocket& peer) {
        peer.read_message();
        peer.send("HTTP/1.1 404 No\r\nContent-Length: 1000000000000\r\n\r\n");
        while (peer.send("endless")) {
        }
      },
  });
  for (const int status : {500, 200, 404}) {
    const Outcome outcome = send_to(server);
    ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
    EXPECT_EQ(outcome->status, status);
    EXPECT_EQ(outcome->body.size(), model::kResponseExcerptBytesMax);
    EXPECT_THAT(outcome->body, StartsWith("endlessendless"));
  }
  EXPECT_EQ(stats().idle, 0u);
}

TEST_F(HttpClient, RedirectsAreAnswersAndNeverFollowed) {
  RawServer server({answers(
      "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")});
  const Outcome outcome = send_to(server);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->status, 302);
}

TEST_F(HttpClient, KeptConnectionThatDiedIsReplacedOnce) {
  RawServer server({
      [](RawSocket& peer) {
        peer.read_message();
        peer.send(kOk);
        peer.read_message();  // takes the second request and hangs up without a word
      },
      answers(std::string(kOk)),
  });
  ASSERT_TRUE(send_to(server).has_value());
  const Outcome second = send_to(server);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_EQ(stats().second_tries, 1u);
  EXPECT_EQ(stats().connects, 2u);
}

TEST_F(HttpClient, FreshConnectionThatDiesIsAFailureAtOnce) {
  RawServer server({
      [](RawSocket& peer) {
        peer.read_message();
        peer.send(kOk);
        peer.read_message();
      },
      [](RawSocket& peer) { peer.read_message(); },
  });
  ASSERT_TRUE(send_to(server).has_value());
  expect_failure(send_to(server), AttemptStep::response, "without an answer");
  EXPECT_EQ(stats().connects, 2u);
}

TEST_F(HttpClient, KeptConnectionThatBeganItsAnswerIsNotTriedAgain) {
  RawServer server({[](RawSocket& peer) {
    peer.read_message();
    peer.send(kOk);
    peer.read_message();
    peer.send("HTTP/1.1 2");
  }});
  ASSERT_TRUE(send_to(server).has_value());
  expect_failure(send_to(server), AttemptStep::response, "inside the header");
  EXPECT_EQ(stats().second_tries, 0u);
}

TEST_F(HttpClient, UnaskedBytesSpoilAConnection) {
  RawServer server({answers(std::string(kOk) + "HTTP/1.1 200 OK\r\n"), answers(std::string(kOk))});
  ASSERT_TRUE(send_to(server).has_value());
  EXPECT_EQ(stats().idle, 0u);
  ASSERT_TRUE(send_to(server).has_value());
}

TEST_F(HttpClient, EarlyAnswerCountsThoughTheBodyWasNotTaken) {
  const std::string body(20'000'000, 'x');
  RawServer server({[](RawSocket& peer) {
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    peer.shutdown_send();
    peer.read_to_end();
  }});
  const Outcome outcome = send({.url = server.url(), .body = body});
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
  EXPECT_EQ(outcome->status, 413);
}

TEST_F(HttpClient, CanceledCallEndsAtOnceWithStepNone) {
  std::promise<void> asked;
  RawServer server({[&](RawSocket& peer) {
    peer.read_message();
    asked.set_value();
    peer.ended();
  }});
  boost::asio::cancellation_signal signal;
  auto outcome = loop_.start(client_->send(call(server)), &signal);
  asked.get_future().wait();
  loop_.call([&] { signal.emit(boost::asio::cancellation_type::terminal); });
  expect_failure(outcome.get(), AttemptStep::none, "canceled");
  EXPECT_EQ(stats().in_flight, 0u);
}

TEST_F(HttpClient, RequestGoesOutAsGivenWithTheDriversFields) {
  std::string seen;
  RawServer server({[&](RawSocket& peer) {
    seen = peer.read_message();
    peer.send(kOk);
  }});
  model::HttpCall request = call(server, "/a?b=%20#fragment");
  request.headers = {{"webhook-ID", "evt_1"},
                     {"X", "1"},
                     {"x", "2"},
                     {"hOST", "evil"},
                     {"content-length", "0"},
                     {"Transfer-Encoding", "chunked"},
                     {"Expect", "100-continue"},
                     {"connection", "close"}};
  ASSERT_TRUE(send(request).has_value());
  EXPECT_EQ(seen, "POST /a?b=%20 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                      "\r\nwebhook-ID: evt_1\r\nX: 1\r\nx: 2\r\nContent-Length: 4\r\n\r\nbody");
}

TEST_F(HttpClient, GetHasNoContentLengthAndHeadHasNoBody) {
  std::string seen;
  RawServer server({[&](RawSocket& peer) {
    seen = peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    seen += peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }});
  ASSERT_TRUE(send({.method = "HEAD", .url = server.url()}).has_value());
  const Outcome get = send({.method = "GET", .url = server.url()});
  ASSERT_TRUE(get.has_value());
  EXPECT_EQ(get->body, "ok");
  EXPECT_THAT(seen, Not(HasSubstr("Content-Length")));
  EXPECT_EQ(stats().connects, 1u);
}

TEST_F(HttpClient, AnswersOfEveryFramingKeepTheConnection) {
  RawServer server({[](RawSocket& peer) {
    peer.read_message();
    peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    peer.send(kOk);
    peer.read_message();
    peer.send(
        "HTTP/1.1 201 Created\r\nX-Two: 1\r\nx-two: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n0\r\nT: t\r\n\r\n");
    peer.read_message();
    peer.send("HTTP/1.1 204\r\n\r\n");
    peer.read_message();
    peer.send("HTTP/1.1 200 OK\r\n\r\nuntil the end");
  }});
  EXPECT_EQ(send_to(server)->body, "ok");
  const Outcome chunked = send_to(server);
  EXPECT_EQ(chunked->body, "abc");
  EXPECT_EQ(chunked->headers[0], (model::Header{"X-Two", "1"}));
  EXPECT_EQ(chunked->headers[1], (model::Header{"x-two", "2"}));
  EXPECT_EQ(send_to(server)->status, 204);
  const Outcome last = send_to(server);
  EXPECT_EQ(last->body, "until the end");
  EXPECT_EQ(stats().connects, 1u);
  EXPECT_EQ(stats().reuses, 3u);
  EXPECT_EQ(stats().idle, 0u);
}

TEST_F(HttpClient, TimingsTellWhichStepsWereTaken) {
  RawServer server({[](RawSocket& peer) {
    for (int i = 0; i < 2; ++i) {
      peer.read_message();
      peer.send(kOk);
    }
  }});
  const auto first = send_to(server)->timings;
  EXPECT_EQ(first.dns_us, -1);
  EXPECT_GE(first.connect_us, 0);
  EXPECT_EQ(first.tls_us, -1);
  EXPECT_GE(first.first_byte_us, 0);
  EXPECT_GE(first.total_us, first.first_byte_us);
  EXPECT_EQ(send_to(server)->timings.connect_us, -1);
}

TEST_F(HttpClient, InterimAnswersAreBounded) {
  RawServer server({[](RawSocket& peer) {
    peer.read_message();
    while (peer.send("HTTP/1.1 102 Processing\r\n\r\n")) {
    }
  }});
  expect_failure(send_to(server), AttemptStep::response, "interim");
}

}  // namespace
}  // namespace grapnel::http
