// For tests: a client that may call anybody, and rude answers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "drivers/http/client.h"
#include "drivers/http/loop_thread.h"
#include "drivers/http/raw_socket.h"

namespace grapnel::http {

using model::AttemptStep;
using testing::HasSubstr;
using Outcome = std::expected<model::HttpAnswer, model::HttpFailure>;

inline constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
inline constexpr Millis kShort{150};

/// Reads a request and sends `bytes`.
inline RawServer::Script answers(std::string bytes) {
  return [bytes = std::move(bytes)](RawSocket& peer) {
    peer.read_message();
    peer.send(bytes);
  };
}

class HttpClient : public testing::Test {
 protected:
  HttpClient() {
    loop_.call([this] {
      resolver_.emplace(loop_.executor());
      client_.emplace(loop_.executor(), *resolver_, EgressGuard::allow_all());
    });
  }
  ~HttpClient() override {
    loop_.run(client_->stop());
    loop_.call([this] {
      client_.reset();
      resolver_.reset();
    });
  }

  model::HttpCall call(const RawServer& server, std::string_view target = "/") {
    return {.url = server.url(target), .body = "body"};
  }
  Outcome send(model::HttpCall call) { return loop_.run(client_->send(std::move(call))); }
  Outcome send_to(const RawServer& server) { return send(call(server)); }
  ClientStats stats() {
    return loop_.call([this] { return client_->stats(); });
  }

  LoopThread loop_;
  std::optional<Resolver> resolver_;
  std::optional<Client> client_;
};

inline void expect_failure(const Outcome& outcome, AttemptStep step, const char* message) {
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().step, step) << outcome.error().message;
  EXPECT_THAT(outcome.error().message, HasSubstr(message));
  EXPECT_EQ(outcome.error().message.find('\n'), std::string::npos);
  EXPECT_GE(outcome.error().timings.total_us, 0);
}

}  // namespace grapnel::http
