#include "drivers/http/resolver.h"

#include <boost/asio/cancellation_signal.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "async/errors.h"
#include "drivers/http/errors.h"
#include "drivers/http/loop_thread.h"
#include "drivers/http/name_server.h"

namespace grapnel::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
using Addresses = Result<std::vector<IpAddress>>;

class Names : public testing::Test {
 protected:
  Names() {
    loop_.call([this] {
      resolver_.emplace(loop_.executor(),
                        ResolverOptions{.name_servers = server_.name(),
                                        .server_timeout = std::chrono::milliseconds(300),
                                        .tries = 1});
    });
  }
  ~Names() override {
    loop_.call([this] { resolver_.reset(); });
  }
  static async::Deadline within(int milliseconds) {
    return async::Deadline(std::chrono::steady_clock::now() +
                           std::chrono::milliseconds(milliseconds));
  }
  Addresses resolve(std::string host, int milliseconds = 10'000) {
    return loop_.run(resolver_->resolve(std::move(host), within(milliseconds)));
  }
  static std::vector<std::string> texts(const Addresses& addresses) {
    std::vector<std::string> out;
    if (!addresses) return {addresses.error().message()};
    for (const auto& address : *addresses) out.push_back(address.str());
    return out;
  }

  NameServer server_{{
      {"both.example", {.v4 = {"192.0.2.1", "192.0.2.2"}, .v6 = {"2001:db8::1"}}},
      {"short.example", {.v4 = {"192.0.2.3"}, .v6 = {}, .ttl = 0}},
      {"empty.example", {.v4 = {}, .v6 = {}}},
      {"broken.example", {.v4 = {}, .v6 = {}, .rcode = 2}},
      {"silent.example", {.v4 = {}, .v6 = {}, .silent = true}},
  }};
  LoopThread loop_;
  std::optional<Resolver> resolver_;
};

TEST_F(Names, AbsentNamesAreNotFoundAndRemembered) {
  for (const char* host : {"absent.example", "empty.example"}) {
    const Addresses found = resolve(host);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().code, errc::name_not_found);
    EXPECT_THAT(found.error().message(), HasSubstr(host));
  }
  const int asked = server_.questions();
  EXPECT_FALSE(resolve("absent.example").has_value());
  EXPECT_EQ(server_.questions(), asked);
}

TEST_F(Names, FailingServerIsAFailureNotAnAbsence) {
  const Addresses found = resolve("broken.example");
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, errc::name_lookup_failed);
  EXPECT_EQ(found.error().condition(), Condition::retry_later);
}

TEST_F(Names, SilentServerEndsAtTheDeadlineOrItsOwnTimeout) {
  const Addresses at_deadline = resolve("silent.example", 20);
  ASSERT_FALSE(at_deadline.has_value());
  EXPECT_EQ(at_deadline.error().code, async::errc::timed_out);
  const Addresses at_timeout = resolve("silent.example");
  ASSERT_FALSE(at_timeout.has_value());
  EXPECT_EQ(at_timeout.error().code, errc::name_lookup_failed);
}

TEST_F(Names, WaitingIsCanceled) {
  boost::asio::cancellation_signal signal;
  auto found = loop_.start(resolver_->resolve("silent.example", within(10'000)), &signal);
  while (server_.questions() == 0) std::this_thread::yield();
  loop_.call([&] { signal.emit(boost::asio::cancellation_type::terminal); });
  EXPECT_EQ(found.get().error().code, async::errc::canceled);
}

TEST_F(Names, EndOfTheResolverEndsThoseWhoWait) {
  auto found = loop_.start(resolver_->resolve("silent.example", within(10'000)));
  while (server_.questions() == 0) std::this_thread::yield();
  loop_.call([this] { resolver_.reset(); });
  EXPECT_EQ(found.get().error().code, errc::name_lookup_failed);
  loop_.call([this] { resolver_.emplace(loop_.executor()); });
}

TEST_F(Names, MalformedNamesFail) {
  for (const std::string& host : {std::string(300, 'a'), std::string("a..b"), std::string("")}) {
    EXPECT_FALSE(resolve(host).has_value()) << host;
  }
}

TEST_F(Names, AddressesNeverGoToDns) {
  EXPECT_THAT(texts(resolve("192.0.2.9")), ElementsAre("192.0.2.9"));
  EXPECT_THAT(texts(resolve("2001:db8::9")), ElementsAre("2001:db8::9"));
  EXPECT_EQ(server_.questions(), 0);
}

TEST_F(Names, BothFamiliesAreFoundAndKept) {
  EXPECT_THAT(texts(resolve("both.example")),
              UnorderedElementsAre("192.0.2.1", "192.0.2.2", "2001:db8::1"));
  const int asked = server_.questions();
  EXPECT_EQ(texts(resolve("both.example")).size(), 3u);
  EXPECT_EQ(server_.questions(), asked);
  EXPECT_EQ(loop_.call([this] { return resolver_->stats().cache_hits; }), 1u);
}

TEST_F(Names, ZeroTimeToLiveIsKeptForTheLeastTime) {
  EXPECT_THAT(texts(resolve("short.example")), ElementsAre("192.0.2.3"));
  const int asked = server_.questions();
  EXPECT_THAT(texts(resolve("short.example")), ElementsAre("192.0.2.3"));
  EXPECT_EQ(server_.questions(), asked);
}

TEST_F(Names, EqualNamesShareOneLookup) {
  std::vector<std::future<Addresses>> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.push_back(loop_.start(resolver_->resolve("silent.example", within(10'000))));
  }
  for (auto& one : waiting) EXPECT_FALSE(one.get().has_value());
  EXPECT_EQ(loop_.call([this] { return resolver_->stats().lookups; }), 1u);
}

TEST_F(Names, LookupsAreBounded) {
  // All begin in one turn of the loop, before the server's first answer can come in.
  auto all = loop_.call([this] {
    std::vector<std::future<Addresses>> out;
    for (std::size_t i = 0; i <= kLookupsMax; ++i) {
      out.push_back(loop_.start(
          resolver_->resolve("absent" + std::to_string(i) + ".example", within(10'000))));
    }
    return out;
  });
  std::size_t busy = 0;
  for (auto& one : all) busy += one.get().error().code == errc::lookups_busy ? 1 : 0;
  EXPECT_EQ(busy, 1u);
}

TEST_F(Names, HostsFileIsRead) {
  const Addresses found = resolve("localhost");
  ASSERT_TRUE(found.has_value()) << found.error().message();
  for (const auto& address : *found) {
    EXPECT_TRUE(address.str() == "127.0.0.1" || address.str() == "::1") << address.str();
  }
}

TEST_F(Names, MalformedServersAreABadStart) {
  loop_.call([this] {
    EXPECT_THROW(Resolver(loop_.executor(), {.name_servers = "not a server"}), std::runtime_error);
  });
}

}  // namespace
}  // namespace grapnel::http
