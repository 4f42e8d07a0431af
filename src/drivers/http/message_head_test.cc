#include "drivers/http/message_head.h"

#include <gtest/gtest.h>

#include "drivers/http/limits.h"

namespace grapnel::http {
namespace {

using model::HttpFault;

struct Parsed {
  std::optional<HttpFault> fault;
  model::HttpRequest request;
  RequestFraming framing;
};

Parsed parse(std::string_view head) {
  Parsed out;
  out.fault = parse_request_head(head, out.request, out.framing);
  return out;
}

struct BadHead {
  std::string head;
  HttpFault fault;
};

TEST(RequestHead, RefusesWhatTwoParsersCouldReadDifferently) {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  for (const auto& [head, fault] : {
           BadHead{post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                   HttpFault::bad_request},
           {post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            HttpFault::bad_request},
           {post + "Content-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\n", HttpFault::bad_request},
           {post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", HttpFault::bad_request},
           {post + "Content-Length: 5, 6\r\n\r\n", HttpFault::bad_request},
           {post + "Content-Length: +5\r\n\r\n", HttpFault::bad_request},
           {post + "Content-Length: -5\r\n\r\n", HttpFault::bad_request},
           {post + "Content-Length: 5x\r\n\r\n", HttpFault::bad_request},
           {post + "Content-Length: 0x5\r\n\r\n", HttpFault::bad_request},
           {post + "Content-Length:\r\n\r\n", HttpFault::bad_request},
           {post + "Content-Length: 99999999999999999999\r\n\r\n", HttpFault::bad_request},
           {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            HttpFault::bad_request},
           {post + "Transfer-Encoding: gzip, chunked\r\n\r\n",
            HttpFault::unsupported_transfer_coding},
           {post + "Transfer-Encoding: identity\r\n\r\n", HttpFault::unsupported_transfer_coding},
           {post + "Transfer-Encoding: xchunked\r\n\r\n", HttpFault::unsupported_transfer_coding},
           {post + "Transfer-Encoding: \x0B"
                   "chunked\r\n\r\n",
            HttpFault::bad_request},
           {post + "Transfer-Encoding : chunked\r\n\r\n", HttpFault::bad_request},
           {post + "X: a\r\n b\r\n\r\n", HttpFault::bad_request},
           {post + "X: a\r\n\tb\r\n\r\n", HttpFault::bad_request},
           {post + "X: a\nY: b\r\n\r\n", HttpFault::bad_request},
           {post + "X: a\rY: b\r\n\r\n", HttpFault::bad_request},
           {post + "X y: a\r\n\r\n", HttpFault::bad_request},
           {post + ": a\r\n\r\n", HttpFault::bad_request},
           {post + "X\r\n\r\n", HttpFault::bad_request},
           {post + " X: a\r\n\r\n", HttpFault::bad_request},
           {post + std::string("X: a\0b\r\n\r\n", 10), HttpFault::bad_request},
           {post + "Host: b\r\n\r\n", HttpFault::bad_request},
           {"POST / HTTP/1.1\r\n\r\n", HttpFault::bad_request},
           {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", HttpFault::bad_request},
           {"POST / HTTP/1.0\r\n\r\n", HttpFault::length_required},
           {"POST / HTTP/2.0\r\nHost: a\r\n\r\n", HttpFault::bad_request},
           {"POST /a b HTTP/1.1\r\nHost: a\r\n\r\n", HttpFault::bad_request},
           {"POST  / HTTP/1.1\r\nHost: a\r\n\r\n", HttpFault::bad_request},
           {"P@ST / HTTP/1.1\r\nHost: a\r\n\r\n", HttpFault::bad_request},
           {"POST / HTTP/1.1\nHost: a\n\r\n\r\n", HttpFault::bad_request},
           {"\x16\x03\x01\x02\r\n\r\n", HttpFault::bad_request},
           {"\r\n\r\n", HttpFault::bad_request},
       }) {
    EXPECT_EQ(parse(head).fault, fault) << head;
  }
}

TEST(RequestHead, RefusesMoreFieldsThanTheBound) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t i = 1; i < model::kHeadersMax; ++i) head += "X: y\r\n";
  EXPECT_FALSE(parse(head + "\r\n").fault);
  EXPECT_EQ(parse(head + "X: y\r\n\r\n").fault, HttpFault::head_too_large);
}

TEST(RequestHead, KeepsFieldsAsTheyCame) {
  const auto parsed = parse(
      "post /A?b=%20#c HTTP/1.1\r\nhOST: x\r\nX-Two: 1\r\nY:  spaced \t\r\nx-two: 2\r\nEmpty:\r\n"
      "Bytes: \xFF\xFE\r\n\r\n");
  ASSERT_FALSE(parsed.fault);
  EXPECT_EQ(parsed.request.method, "post");
  EXPECT_EQ(parsed.request.target, "/A?b=%20#c");
  const model::HeaderList expected = {{"hOST", "x"},  {"X-Two", "1"}, {"Y", "spaced"},
                                      {"x-two", "2"}, {"Empty", ""},  {"Bytes", "\xFF\xFE"}};
  EXPECT_EQ(parsed.request.headers, expected);
}

TEST(RequestHead, SaysHowTheBodyIsFramed) {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(parse(post + "\r\n").framing.body, BodyKind::none);
  EXPECT_EQ(parse(post + "Content-Length: 0\r\n\r\n").framing.body, BodyKind::none);
  EXPECT_EQ(parse(post + "Content-Length: 7\r\n\r\n").framing.bytes, 7u);
  EXPECT_EQ(parse(post + "Content-Length: 7, 7\r\n\r\n").framing.bytes, 7u);
  EXPECT_EQ(parse(post + "transfer-encoding: CHUNKED\r\n\r\n").framing.body, BodyKind::chunked);
  EXPECT_TRUE(parse(post + "Expect: 100-Continue\r\n\r\n").framing.expects_continue);
  EXPECT_TRUE(parse(post + "\r\n").framing.keep_alive);
  EXPECT_FALSE(parse(post + "Connection: x, close\r\n\r\n").framing.keep_alive);
  EXPECT_FALSE(parse("GET / HTTP/1.0\r\n\r\n").framing.keep_alive);
  EXPECT_TRUE(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").framing.keep_alive);
}

TEST(RequestHead, EndIsFoundWhereverTheNetworkCuts) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
  std::size_t scanned = 0;
  for (std::size_t bytes = 0; bytes < text.size() - 4; ++bytes) {
    ASSERT_EQ(find_head_end(std::string_view(text).substr(0, bytes), scanned), 0u) << bytes;
  }
  EXPECT_EQ(find_head_end(text, scanned), text.size() - 4);
}

TEST(AnswerHead, RefusesWhatIsNoHttp) {
  for (const char* head :
       {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX\r\n\r\n", "HTTP/3 200 OK\r\n\r\n", "\r\n\r\n"}) {
    AnswerHead answer;
    EXPECT_TRUE(parse_answer_head(head, AnswerTo::other_request, answer).has_value()) << head;
  }
}

TEST(AnswerHead, SaysHowTheBodyIsFramed) {
  const auto framing = [](std::string_view head, AnswerTo to = AnswerTo::other_request) {
    AnswerHead answer;
    EXPECT_FALSE(parse_answer_head(head, to, answer)) << head;
    return answer.framing;
  };
  EXPECT_EQ(framing("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n").bytes, 9u);
  EXPECT_EQ(framing("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", AnswerTo::head_request).body,
            BodyKind::none);
  EXPECT_EQ(framing("HTTP/1.1 204 No Content\r\n\r\n").body, BodyKind::none);
  EXPECT_TRUE(framing("HTTP/1.1 204 No Content\r\n\r\n").keep_alive);
  EXPECT_EQ(framing("HTTP/1.1 200 OK\r\n\r\n").body, BodyKind::until_close);
  EXPECT_FALSE(framing("HTTP/1.1 200 OK\r\n\r\n").keep_alive);
  EXPECT_EQ(framing("HTTP/1.1 200\r\nContent-Length: 9\r\n\r\n").bytes, 9u);
  EXPECT_EQ(framing("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").body,
            BodyKind::chunked);
  EXPECT_FALSE(framing("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive);
}

}  // namespace
}  // namespace grapnel::http
