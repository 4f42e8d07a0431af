#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "drivers/http/client.h"
#include "drivers/http/client_fixture.h"
#include "drivers/http/name_server.h"

namespace grapnel::http {
namespace {

/// Calls through clients with options of their own.
class OwnHttpClient : public HttpClient {
 protected:
  ~OwnHttpClient() override {
    if (!own_) return;
    loop_.run(own_->stop());
    loop_.call([this] { own_.reset(); });
  }
  void make(EgressGuard guard, ClientOptions options = {}) {
    loop_.call([&] { own_.emplace(loop_.executor(), *resolver_, std::move(guard), options); });
  }
  Outcome send_own(model::HttpCall call) { return loop_.run(own_->send(std::move(call))); }

  std::optional<Client> own_;
};

TEST_F(OwnHttpClient, GuardRefusesBeforeConnecting) {
  make(EgressGuard({}));
  for (const char* url : {"http://127.0.0.1:1/", "http://[::1]:1/", "http://[::ffff:127.0.0.1]:1/",
                          "http://localhost:1/", "http://169.254.169.254/latest/meta-data/"}) {
    const Outcome outcome = send_own({.url = url});
    expect_failure(outcome, AttemptStep::egress, "GRAPNEL_EGRESS_ALLOW");
    EXPECT_EQ(outcome.error().timings.connect_us, -1) << url;
  }
  EXPECT_EQ(loop_.call([this] { return own_->stats().connects; }), 0u);
}

TEST_F(OwnHttpClient, IdleConnectionsAreClosedAfterTheirTime) {
  make(EgressGuard::allow_all(), {.idle_timeout = std::chrono::milliseconds(30)});
  std::promise<bool> ended;
  RawServer server({[&](RawSocket& peer) {
    peer.read_message();
    peer.send(kOk);
    ended.set_value(peer.ended());
  }});
  ASSERT_TRUE(send_own(call(server)).has_value());
  EXPECT_TRUE(ended.get_future().get());
  EXPECT_EQ(loop_.call([this] { return own_->stats().idle; }), 0u);
}

TEST_F(OwnHttpClient, IdleConnectionsAreBounded) {
  make(EgressGuard::allow_all(), {.idle_per_endpoint_max = 1});
  RawServer server({answers(std::string(kOk)), answers(std::string(kOk))});
  // The first must not end before the second has begun, so that both are under way at a time.
  auto first = loop_.start(own_->send(call(server)));
  auto second = loop_.start(own_->send(call(server)));
  ASSERT_TRUE(first.get().has_value());
  ASSERT_TRUE(second.get().has_value());
  EXPECT_LE(loop_.call([this] { return own_->stats().idle; }), 1u);
}

TEST_F(OwnHttpClient, BeyondTheTotalTheOneThatRestedLongestMakesRoom) {
  make(EgressGuard::allow_all(), {.idle_max = 1});
  std::promise<bool> ended;
  RawServer former({[&](RawSocket& peer) {
    peer.read_message();
    peer.send(kOk);
    ended.set_value(peer.ended());
  }});
  RawServer newer({answers(std::string(kOk))});
  ASSERT_TRUE(send_own(call(former)).has_value());
  EXPECT_EQ(loop_.call([this] { return own_->stats().idle; }), 1u);
  ASSERT_TRUE(send_own(call(newer)).has_value());
  EXPECT_TRUE(ended.get_future().get());
  EXPECT_EQ(loop_.call([this] { return own_->stats().idle; }), 1u);
}

TEST_F(OwnHttpClient, CallsAreBounded) {
  make(EgressGuard::allow_all(), {.calls_max = 1});
  std::promise<void> asked;
  std::promise<void> go_on;
  RawServer server({[&](RawSocket& peer) {
    peer.read_message();
    asked.set_value();
    go_on.get_future().wait();
    peer.send(kOk);
  }});
  auto first = loop_.start(own_->send(call(server)));
  asked.get_future().wait();
  expect_failure(send_own(call(server)), AttemptStep::connect, "too many outgoing calls");
  go_on.set_value();
  EXPECT_TRUE(first.get().has_value());
}

/// Calls to names that a test's own name server knows.
class NamedHttpClient : public OwnHttpClient {
 protected:
  NamedHttpClient() {
    loop_.call([this] {
      names_.emplace(loop_.executor(), ResolverOptions{.name_servers = name_server_.name()});
    });
  }
  ~NamedHttpClient() override {
    loop_.run(named_->stop());
    loop_.call([this] {
      named_.reset();
      names_.reset();
    });
  }
  void guard_with(EgressGuard guard) {
    loop_.call([&] { named_.emplace(loop_.executor(), *names_, std::move(guard)); });
  }
  Outcome send_to_name(const std::string& host, std::uint16_t port,
                       Millis timeout = Millis(10'000)) {
    return loop_.run(named_->send(
        {.url = "http://" + host + ":" + std::to_string(port) + "/", .timeout = timeout}));
  }

  NameServer name_server_{{
      {"second.example", {.v4 = {"127.0.0.2", "127.0.0.1"}, .v6 = {}}},
      {"inside.example", {.v4 = {"127.0.0.2"}, .v6 = {"fd00:ec2::254"}}},
      {"silent.example", {.v4 = {}, .v6 = {}, .silent = true}},
  }};
  std::optional<Resolver> names_;
  std::optional<Client> named_;
};

TEST_F(NamedHttpClient, AbsentNameIsADnsFailure) {
  guard_with(EgressGuard::allow_all());
  const Outcome outcome = send_to_name("absent.example", 80);
  expect_failure(outcome, AttemptStep::dns, "absent.example does not exist");
  EXPECT_GE(outcome.error().timings.dns_us, 0);
}

TEST_F(NamedHttpClient, SilentNameServerTimesOutInTheLookup) {
  guard_with(EgressGuard::allow_all());
  expect_failure(send_to_name("silent.example", 80, kShort), AttemptStep::timeout, "looking up");
}

TEST_F(NamedHttpClient, NameOfRefusedAddressesIsRefusedAfterTheLookup) {
  guard_with(EgressGuard({}));
  expect_failure(send_to_name("inside.example", 80), AttemptStep::egress, "egress.allow");
}

TEST_F(NamedHttpClient, RefusedAddressesOfANameAreLeftOut) {
  guard_with(EgressGuard({*Cidr::parse("127.0.0.1/32")}));
  RawServer server({answers(std::string(kOk))});
  const Outcome outcome = send_to_name("second.example", server.port());
  EXPECT_TRUE(outcome.has_value()) << outcome.error().message;
}

TEST_F(NamedHttpClient, NextAddressIsTriedWhenOneDoesNotListen) {
  guard_with(EgressGuard::allow_all());
  RawServer server({[](RawSocket& peer) {
    EXPECT_THAT(peer.read_until("\r\n\r\n"), HasSubstr("Host: second.example:"));
    peer.send(kOk);
  }});
  const Outcome outcome = send_to_name("second.example", server.port());
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
  EXPECT_GE(outcome->timings.dns_us, 0);
}

}  // namespace
}  // namespace grapnel::http
