#include "drivers/http/proxy_trust.h"

#include <gtest/gtest.h>

#include "drivers/http/limits.h"

namespace grapnel::http {
namespace {

ProxyTrust trust() { return ProxyTrust({*Cidr::parse("10.0.0.0/8"), *Cidr::parse("fd00::/8")}); }

std::optional<std::string> client(std::vector<std::string> fields) {
  model::HeaderList headers = {{"Host", "a"}};
  for (auto& field : fields) headers.push_back({"x-forwarded-FOR", std::move(field)});
  return trust().client(headers);
}

TEST(ProxyTrust, LyingClientsGainNothing) {
  EXPECT_EQ(client({"1.1.1.1, 203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(client({"127.0.0.1, 10.0.0.1, 203.0.113.9, 10.0.0.2"}), "203.0.113.9");
  EXPECT_EQ(client({"1.1.1.1", "203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(client({"1.1.1.1, garbage, 10.0.0.2"}), "10.0.0.2");
  EXPECT_EQ(client({"garbage"}), std::nullopt);
  EXPECT_EQ(client({""}), std::nullopt);
  EXPECT_EQ(client({}), std::nullopt);
}

TEST(ProxyTrust, LooksAtABoundedNumberOfHops) {
  std::string chain = "203.0.113.9";
  for (std::size_t i = 0; i < kForwardedHopsMax; ++i) chain += ",10.0.0.1";
  EXPECT_EQ(client({chain}), "10.0.0.1");
}

TEST(ProxyTrust, ReadsEveryFormOfAnAddress) {
  EXPECT_EQ(client({"203.0.113.9:4711"}), "203.0.113.9:4711");
  EXPECT_EQ(client({"2001:db8::1"}), "2001:db8::1");
  EXPECT_EQ(client({"[2001:db8::1]"}), "2001:db8::1");
  EXPECT_EQ(client({"[2001:db8::1]:80, fd00::1"}), "[2001:db8::1]:80");
  EXPECT_EQ(client({"::ffff:203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(client({"203.0.113.9:99999"}), std::nullopt);
  EXPECT_EQ(client({"[2001:db8::1"}), std::nullopt);
}

TEST(ProxyTrust, TheNearestProxySaysWhetherItWasTls) {
  const auto secure = [](const char* value) {
    return trust().secure({{"X-Forwarded-Proto", value}});
  };
  EXPECT_EQ(secure("https"), true);
  EXPECT_EQ(secure("HTTPS"), true);
  EXPECT_EQ(secure("https, http"), false);
  EXPECT_EQ(trust().secure({}), std::nullopt);
}

TEST(ProxyTrust, OnlyListedPeersAreTrusted) {
  EXPECT_TRUE(trust().trusts(*IpAddress::parse("10.1.1.1")));
  EXPECT_FALSE(trust().trusts(*IpAddress::parse("11.1.1.1")));
  EXPECT_FALSE(ProxyTrust({}).trusts(*IpAddress::parse("127.0.0.1")));
}

}  // namespace
}  // namespace grapnel::http
