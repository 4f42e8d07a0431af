#include "drivers/http/cidr.h"

#include <gtest/gtest.h>

#include "drivers/http/errors.h"

namespace grapnel::http {
namespace {

TEST(IpAddress, RefusesEverythingButCanonicalText) {
  for (const char* text :
       {"",          " ",         "1",         "1.2",          "1.2.3",      "1.2.3.4.5",
        "256.1.1.1", "1.2.3.-4",  "01.2.3.4",  "0x7f.0.0.1",   "2130706433", "1.2.3.4 ",
        " 1.2.3.4",  "1.2.3.4/8", "[::1]",     "fe80::1%eth0", "::g",        ":::",
        "1::2::3",   "12345::",   "localhost", "1.2.3.4\n"}) {
    const auto parsed = IpAddress::parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, errc::bad_address) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(IpAddress::parse(std::string(1'000, '1')));
}

TEST(IpAddress, ReadsBackWhatItWrites) {
  for (const char* text : {"0.0.0.0", "255.255.255.255", "192.0.2.1", "::", "::1", "2001:db8::1",
                           "::ffff:10.0.0.1", "fe80::1"}) {
    const auto parsed = IpAddress::parse(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(parsed->str(), text);
  }
  EXPECT_EQ(IpAddress::v4(0x0A000001).str(), "10.0.0.1");
}

TEST(IpAddress, UnmapsOnlyMappedAddresses) {
  EXPECT_EQ(IpAddress::parse("::ffff:10.0.0.1")->unmapped().str(), "10.0.0.1");
  EXPECT_EQ(IpAddress::parse("::10.0.0.1")->unmapped().str(), "::10.0.0.1");
  EXPECT_EQ(IpAddress::parse("2001:db8::1")->unmapped().str(), "2001:db8::1");
}

TEST(Cidr, RefusesMistakesAndSaysWhatWasMeant) {
  for (const char* text :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/+8",
        "10.0.0.0/ 8", "::/129", "10.0.0.0//8", "x/8", "10.0.0.0/99999999999999999999"}) {
    EXPECT_FALSE(Cidr::parse(text)) << text;
  }
  const auto parsed = Cidr::parse("10.1.2.3/8");
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().message().find("10.0.0.0/8"), std::string::npos);
}

struct Membership {
  const char* cidr;
  const char* address;
  bool inside;
};

TEST(Cidr, ContainsExactlyItsBlock) {
  for (const auto& [cidr, address, inside] : {
           Membership{"10.0.0.0/8", "10.255.255.255", true},
           {"10.0.0.0/8", "11.0.0.0", false},
           {"10.0.0.0/8", "9.255.255.255", false},
           {"0.0.0.0/0", "8.8.8.8", true},
           {"0.0.0.0/0", "::1", false},
           {"::/0", "2001:db8::1", true},
           {"::/0", "1.2.3.4", false},
           {"192.0.2.1", "192.0.2.1", true},
           {"192.0.2.1", "192.0.2.2", false},
           {"172.16.0.0/12", "172.31.255.255", true},
           {"172.16.0.0/12", "172.32.0.0", false},
           {"192.0.2.128/25", "192.0.2.127", false},
           {"2001:db8:8000::/33", "2001:db8:7fff::", false},
           {"2001:db8:8000::/33", "2001:db8:ffff::", true},
           {"10.0.0.0/8", "::ffff:10.0.0.1", false},
       }) {
    EXPECT_EQ(Cidr::parse(cidr)->contains(*IpAddress::parse(address)), inside)
        << cidr << " " << address;
  }
  EXPECT_EQ(Cidr::parse("192.0.2.1")->str(), "192.0.2.1/32");
  EXPECT_EQ(Cidr::parse("fd00::/8")->str(), "fd00::/8");
}

}  // namespace
}  // namespace grapnel::http
