#include "drivers/http/egress_guard.h"

#include <gtest/gtest.h>

#include "drivers/http/errors.h"

namespace grapnel::http {
namespace {

IpAddress address(const char* text) { return *IpAddress::parse(text); }

EgressGuard allowing(std::vector<const char*> cidrs) {
  std::vector<Cidr> out;
  for (const char* cidr : cidrs) out.push_back(*Cidr::parse(cidr));
  return EgressGuard(std::move(out));
}

struct Refusal {
  const char* address;
  const char* what;
};

TEST(EgressGuard, RefusesEverySpecialBlock) {
  const EgressGuard guard = allowing({});
  for (const auto& [text, what] : {
           Refusal{"0.0.0.0", "unspecified"},
           {"0.1.2.3", "unspecified"},
           {"10.0.0.5", "private"},
           {"10.255.255.255", "private"},
           {"100.64.0.1", "carrier-grade NAT"},
           {"100.127.255.255", "carrier-grade NAT"},
           {"127.0.0.1", "loopback"},
           {"127.255.255.254", "loopback"},
           {"169.254.1.1", "link-local"},
           {"169.254.169.254", "cloud metadata"},
           {"172.16.0.1", "private"},
           {"172.31.255.255", "private"},
           {"192.0.0.1", "protocol assignments"},
           {"192.0.2.1", "documentation"},
           {"192.88.99.1", "6to4 relay"},
           {"192.168.255.1", "private"},
           {"198.18.0.1", "benchmarking"},
           {"198.19.255.255", "benchmarking"},
           {"198.51.100.1", "documentation"},
           {"203.0.113.1", "documentation"},
           {"224.0.0.1", "multicast"},
           {"239.255.255.255", "multicast"},
           {"240.0.0.1", "reserved"},
           {"255.255.255.255", "broadcast"},
           {"::", "unspecified"},
           {"::1", "loopback"},
           {"::ffff:8.8.8.8", "IPv4-mapped"},
           {"::ffff:127.0.0.1", "IPv4-mapped"},
           {"::8.8.8.8", "IPv4-compatible"},
           {"64:ff9b::808:808", "NAT64"},
           {"64:ff9b:1::1", "NAT64, local use"},
           {"100::1", "discard"},
           {"2001::1", "Teredo"},
           {"2001:10::1", "protocol assignments"},
           {"2001:db8::1", "documentation"},
           {"2002:a00:5::1", "6to4"},
           {"3fff::1", "documentation"},
           {"fd00:ec2::254", "cloud metadata"},
           {"fc00::1", "unique local"},
           {"fdff::1", "unique local"},
           {"fe80::1", "link-local"},
           {"febf::1", "link-local"},
           {"fec0::1", "site-local"},
           {"ff02::1", "multicast"},
       }) {
    const auto checked = guard.check(address(text));
    ASSERT_FALSE(checked.has_value()) << text;
    EXPECT_EQ(checked.error().code, errc::egress_refused);
    EXPECT_EQ(checked.error().condition(), Condition::give_up);
    EXPECT_NE(checked.error().message().find(what), std::string::npos)
        << text << ": " << checked.error().message();
  }
}

TEST(EgressGuard, PassesPublicAddressesUpToTheEdgesOfTheBlocks) {
  const EgressGuard guard = allowing({});
  for (const char* text :
       {"1.1.1.1",        "8.8.8.8",         "9.255.255.255",   "11.0.0.0",        "100.63.255.255",
        "100.128.0.0",    "126.255.255.255", "128.0.0.0",       "169.253.255.255", "169.255.0.0",
        "172.15.255.255", "172.32.0.0",      "192.0.1.0",       "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0",      "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
        "2001:200::1",    "2003::1"}) {
    EXPECT_TRUE(guard.check(address(text)).has_value()) << text;
  }
}

TEST(EgressGuard, NamesTheSettingThatAllowsIt) {
  EXPECT_EQ(allowing({}).check(address("10.0.0.5")).error().message(),
            "egress to 10.0.0.5 (private) is refused; allow it with egress.allow: [10.0.0.0/8] or "
            "GRAPNEL_EGRESS_ALLOW");
}

TEST(EgressGuard, AllowsWhatIsListedAndNothingBesides) {
  const EgressGuard guard = allowing({"10.0.0.0/8", "fd00::/8"});
  EXPECT_TRUE(guard.check(address("10.9.8.7")));
  EXPECT_TRUE(guard.check(address("fd12::1")));
  EXPECT_FALSE(guard.check(address("192.168.0.1")));
  EXPECT_FALSE(guard.check(address("fc00::1")));
  EXPECT_FALSE(guard.check(address("127.0.0.1")));
}

TEST(EgressGuard, JudgesCarriedAddressesAsWell) {
  // Listing the carrying block opens it for public addresses only.
  EXPECT_TRUE(allowing({"::ffff:0:0/96"}).check(address("::ffff:8.8.8.8")));
  EXPECT_FALSE(allowing({"::ffff:0:0/96"}).check(address("::ffff:169.254.169.254")));
  EXPECT_FALSE(allowing({"::/0"}).check(address("::ffff:127.0.0.1")));
  EXPECT_FALSE(allowing({"2002::/16"}).check(address("2002:a00:5::1")));
  EXPECT_TRUE(allowing({"2002::/16"}).check(address("2002:808:808::1")));
  EXPECT_FALSE(allowing({"64:ff9b::/96"}).check(address("64:ff9b::a00:5")));
  EXPECT_TRUE(allowing({"64:ff9b::/96"}).check(address("64:ff9b::808:808")));
  // Listing the carried address opens every form of it.
  EXPECT_TRUE(allowing({"10.0.0.0/8"}).check(address("::ffff:10.0.0.5")));
  EXPECT_TRUE(allowing({"10.0.0.0/8"}).check(address("2002:a00:5::1")));
  EXPECT_FALSE(allowing({"10.0.0.0/8"}).check(address("::ffff:8.8.8.8")));
}

TEST(EgressGuard, AllowAllRefusesNothing) {
  const EgressGuard guard = EgressGuard::allow_all();
  for (const char* text : {"127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "8.8.8.8"}) {
    EXPECT_TRUE(guard.check(address(text))) << text;
  }
}

}  // namespace
}  // namespace grapnel::http
