#include "drivers/http/url.h"

#include <gtest/gtest.h>

#include "drivers/http/errors.h"
#include "model/limits.h"

namespace grapnel::http {
namespace {

struct BadUrl {
  std::string text;
  const char* why;
};

TEST(Url, RefusesWithASentenceThatSaysWhy) {
  for (const auto& [text, why] : {
           BadUrl{"", "empty"},
           {"example.com", "malformed"},
           {"/path", "malformed"},
           {"http:", "host"},
           {"http:///path", "host"},
           {"http://", "host"},
           {"http:example.com", "host"},
           {"ftp://example.com/", "scheme"},
           {"file:///etc/passwd", "scheme"},
           {"gopher://example.com/", "scheme"},
           {"javascript:alert(1)", "scheme"},
           {"http://user@example.com/", "credentials"},
           {"http://user:secret@example.com/", "credentials"},
           {"http://@example.com/", "credentials"},
           {"http://ex ample.com/", "space"},
           {"http://example.com/\r\nHost: evil", "control"},
           {"http://example.com/\x7F", "control"},
           {"http://b\xC3\xBC"
            "cher.example/",
            "ASCII"},
           {"http://example.com/\xC3\xBC", "ASCII"},
           {"http://ex%61mple.com/", "letters"},
           {"http://exa$mple.com/", "letters"},
           {"http://a..b/", "empty label"},
           {"http://a.b../", "empty label"},
           {"http://.a/", "empty label"},
           {"http://./", "host"},
           {"http://" + std::string(64, 'a') + ".example/", "63"},
           {"http://" + std::string(127, 'a') + "/", "63"},
           {"http://2130706433/", "dotted"},
           {"http://0x7f000001/", "dotted"},
           {"http://0x7f.1/", "dotted"},
           {"http://0x/", "dotted"},
           {"http://127.1/", "dotted"},
           {"http://127.0.1/", "dotted"},
           {"http://017700000001/", "dotted"},
           {"http://0177.0.0.1/", "dotted"},
           {"http://010.0.0.1/", "dotted"},
           {"http://1.2.3.4.5/", "dotted"},
           {"http://1.2.3.4%2eexample.com/", "letters"},
           {"http://1.2.3.4@example.com/", "credentials"},
           {"http://[::1]x/", "brackets"},
           {"http://256.0.0.1/", "dotted"},
           {"http://example.0x7f/", "dotted"},
           {"http://[::1%25eth0]/", "zone"},
           {"http://[fe80::1%eth0]/", "malformed"},
           {"http://[::1/", "malformed"},
           {"http://[v1.x]/", "brackets"},
           {"http://example.com:0/", "port"},
           {"http://example.com:65536/", "port"},
           {"http://example.com:99999999999999999999/", "port"},
           {"http://example.com:8x/", "port"},
           {"http://example.com/{id}", "malformed"},
           {"http://example.com\\@evil/", "malformed"},
           {"http://example.com/" + std::string(model::kUrlBytesMax, 'a'), "longer"},
       }) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url.has_value()) << text;
    EXPECT_EQ(url.error().code, errc::bad_url);
    EXPECT_NE(url.error().message().find(why), std::string::npos)
        << text << ": " << url.error().message();
    EXPECT_EQ(url.error().message().find("secret"), std::string::npos);
  }
}

TEST(Url, TakesTheParts) {
  const auto url = parse_url("HTTPS://Hooks.Example.COM./a/b%20c?x=1&y=%2F#fragment");
  ASSERT_TRUE(url.has_value()) << url.error().message();
  EXPECT_EQ(url->scheme, Scheme::https);
  EXPECT_EQ(url->host, "hooks.example.com");
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(url->target, "/a/b%20c?x=1&y=%2F");
  EXPECT_EQ(url->authority, "hooks.example.com");
  EXPECT_FALSE(url->address);
}

struct GoodUrl {
  const char* text;
  const char* authority;
  const char* target;
  std::uint16_t port;
};

TEST(Url, FillsInDefaultsAndKeepsOddPorts) {
  for (const auto& [text, authority, target, port] : {
           GoodUrl{"http://a", "a", "/", 80},
           {"http://a?x", "a", "/?x", 80},
           {"http://a/?", "a", "/?", 80},
           {"http://a#f", "a", "/", 80},
           {"http://a:80/", "a", "/", 80},
           {"https://a:80/", "a:80", "/", 80},
           {"https://a:443/", "a", "/", 443},
           {"http://a:/", "a", "/", 80},
           {"http://a:08080/", "a:8080", "/", 8080},
           {"http://a_b.svc:65535/x", "a_b.svc:65535", "/x", 65535},
           {"http://xn--bcher-kva.example/", "xn--bcher-kva.example", "/", 80},
           {"http://192.0.2.1:81/", "192.0.2.1:81", "/", 81},
           {"http://192.0.2.1./", "192.0.2.1", "/", 80},
           {"http://[2001:DB8::1]:8080/", "[2001:db8::1]:8080", "/", 8080},
           {"http://[::ffff:10.0.0.1]/", "[::ffff:10.0.0.1]", "/", 80},
           {"http://1a.2b/", "1a.2b", "/", 80},
           {"http://1.2.3.4.example.com/x", "1.2.3.4.example.com", "/x", 80},
           {"http://1.2.3.4example.com:81?y", "1.2.3.4example.com:81", "/?y", 81},
           {"http://a/@b:c", "a", "/@b:c", 80},
       }) {
    const auto url = parse_url(text);
    ASSERT_TRUE(url.has_value()) << text << ": " << url.error().message();
    EXPECT_EQ(url->authority, authority) << text;
    EXPECT_EQ(url->target, target) << text;
    EXPECT_EQ(url->port, port) << text;
  }
}

TEST(Url, RecognisesAddresses) {
  EXPECT_EQ(parse_url("http://10.0.0.1/")->address, IpAddress::parse("10.0.0.1").value());
  EXPECT_EQ(parse_url("http://[::1]/")->address, IpAddress::parse("::1").value());
  EXPECT_EQ(parse_url("http://[::1]/")->host, "::1");
  EXPECT_FALSE(parse_url("http://ten.0.0.example/")->address);
}

}  // namespace
}  // namespace grapnel::http
