// Everything that has been tried elsewhere to make a guarded client call the inside: through the
// real client and resolver, beside a listener on every address of this machine that nobody may
// reach.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "drivers/http/client.h"
#include "drivers/http/client_fixture.h"
#include "drivers/http/loop_thread.h"
#include "drivers/http/name_server.h"

namespace grapnel::http {
namespace {

using testing::AnyOf;

/// PORT stands for the listener's.
constexpr const char* kTricks[] = {
    // The address itself, its block, its other spellings.
    "http://127.0.0.1:PORT",
    "http://127.0.0.2:PORT",
    "http://127.255.255.254:PORT",
    "http://0.0.0.0:PORT",
    "http://0:PORT",
    "http://127.1:PORT",
    "http://127.0.1:PORT",
    "http://2130706433:PORT",
    "http://017700000001:PORT",
    "http://0x7f000001:PORT",
    "http://0x7F.0x0.0x0.0x1:PORT",
    "http://0177.0.0.1:PORT",
    "http://0177.0x0.0.1:PORT",
    "http://127.0.0.0x1:PORT",
    "http://127.0.0.01:PORT",
    "http://00000127.0.0.1:PORT",
    "http://127.0.0.1.:PORT",
    "http://127.0.0.1..:PORT",
    "http://4294967295:PORT",
    "http://4423816449:PORT",
    "http://127.0.0.257:PORT",
    "http://1:PORT",
    // IPv6, and IPv4 inside of it.
    "http://[::1]:PORT",
    "http://[::]:PORT",
    "http://[0:0:0:0:0:0:0:1]:PORT",
    "http://[0000::0001]:PORT",
    "http://[::ffff:127.0.0.1]:PORT",
    "http://[::ffff:7f00:1]:PORT",
    "http://[::FFFF:7F00:0001]:PORT",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:PORT",
    "http://[::127.0.0.1]:PORT",
    "http://[::7f00:1]:PORT",
    "http://[64:ff9b::127.0.0.1]:PORT",
    "http://[64:ff9b::7f00:1]:PORT",
    "http://[64:ff9b:1::7f00:1]:PORT",
    "http://[2002:7f00:1::]:PORT",
    "http://[2001::7f00:1]:PORT",
    "http://[fe80::1]:PORT",
    "http://[fe80::1%25lo]:PORT",
    "http://[fe80::1%lo]:PORT",
    "http://[::1%25lo]:PORT",
    "http://[::1:PORT",
    "http://::1:PORT",
    "http://[[::1]]:PORT",
    "http://[127.0.0.1]:PORT",
    "http://[fd00::1]:PORT",
    "http://[ff02::1]:PORT",
    "http://[fec0::1]:PORT",
    // Userinfo, separators and encodings that one parser reads as a host and another does not.
    "http://example.com@127.0.0.1:PORT",
    "http://127.0.0.1:PORT@example.com",
    "http://example.com:80@127.0.0.1:PORT",
    "http://127.0.0.1:PORT#@example.com/",
    "http://127.0.0.1:PORT?@example.com/",
    "http://127.0.0.1:PORT\\@example.com/",
    "http://example.com\\.127.0.0.1:PORT",
    "http:\\\\127.0.0.1:PORT",
    "http:/127.0.0.1:PORT",
    "http:127.0.0.1:PORT",
    "//127.0.0.1:PORT",
    "http:///127.0.0.1:PORT",
    "http://127.0.0.1%2f:PORT",
    "http://%31%32%37.0.0.1:PORT",
    "http://127%2e0.0.1:PORT",
    "http://127.0.0.1%00.example.com:PORT",
    "http://127.0.0.1\t:PORT",
    " http://127.0.0.1:PORT",
    "http://127.0.0.1:PORT\r\nHost: example.com",
    "HTTP://127.0.0.1:PORT",
    "hTTp://LOCALHOST.example:PORT",
    // Unicode forms of digits and dots, and names in ASCII form (IDNA).
    "http://\xE2\x91\xA0\xE2\x91\xA1\xE2\x91\xA6.0.0.1:PORT",
    "http://127\xE3\x80\x82"
    "0.0.1:PORT",
    "http://\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x97.0.0.1:PORT",
    "http://l\xC3\xB6"
    "calhost.example:PORT",
    "http://xn--lcalhost-55a.example:PORT",
    "http://loc\xC2\xAD"
    "alhost.example:PORT",
    // Names.
    "http://localhost:PORT",
    "http://LocalHost:PORT",
    "http://localhost.:PORT",
    "http://foo.localhost:PORT",
    "http://localhost.example:PORT",
    "http://localhost.example.:PORT",
    "http://localhost6.example:PORT",
    "http://mapped.example:PORT",
    "http://compatible.example:PORT",
    "http://nat64.example:PORT",
    "http://6to4.example:PORT",
    "http://any.example:PORT",
    "http://metadata.example:PORT",
    "http://private.example:PORT",
    // Other blocks and ports.
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://100.64.0.1:PORT",
    "http://10.0.0.1:PORT",
    "http://172.16.0.1:PORT",
    "http://192.168.0.1:PORT",
    "http://224.0.0.1:PORT",
    "http://255.255.255.255:PORT",
    "http://127.0.0.1:0PORT",
    "http://127.0.0.1:0",
    "http://127.0.0.1:65536",
    "http://127.0.0.1:-1",
    // Other schemes.
    "file:///etc/passwd",
    "gopher://127.0.0.1:PORT",
    "ftp://127.0.0.1:PORT",
    "dict://127.0.0.1:PORT",
    "unix:/run/docker.sock",
    "http+unix://%2frun%2fdocker.sock/",
};

/// Listens on every address, both families, and never answers.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const int off = 0;
    ::setsockopt(socket_, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_any;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(socket_, SOMAXCONN), 0);
    socklen_t bytes = sizeof address;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &bytes);
    port_ = ntohs(address.sin6_port);
  }
  ~Listener() { ::close(socket_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::string port() const { return std::to_string(port_); }
  bool was_reached() const {
    const int peer = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (peer >= 0) ::close(peer);
    return peer >= 0;
  }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

class EgressTricks : public testing::Test {
 protected:
  EgressTricks() { guard_with(EgressGuard({})); }
  ~EgressTricks() override {
    drop_client();
    loop_.call([this] { resolver_.reset(); });
  }
  void drop_client() {
    loop_.run(client_->stop());
    loop_.call([this] { client_.reset(); });
  }
  /// A client that knows no name yet.
  void guard_with(EgressGuard guard) {
    if (client_) drop_client();
    loop_.call([&] {
      resolver_.emplace(loop_.executor(), ResolverOptions{.name_servers = name_server_.name()});
      client_.emplace(loop_.executor(), *resolver_, std::move(guard));
    });
  }
  Outcome call(const std::string& url) {
    return loop_.run(client_->send({.url = url, .timeout = kShort}));
  }

  LoopThread loop_;
  NameServer name_server_{{
      {"localhost.example", {.v4 = {"127.0.0.1"}, .v6 = {}}},
      {"localhost6.example", {.v4 = {}, .v6 = {"::1"}}},
      {"mapped.example", {.v4 = {}, .v6 = {"::ffff:127.0.0.1"}}},
      {"compatible.example", {.v4 = {}, .v6 = {"::127.0.0.1"}}},
      {"nat64.example", {.v4 = {}, .v6 = {"64:ff9b::7f00:1"}}},
      {"6to4.example", {.v4 = {}, .v6 = {"2002:7f00:1::1"}}},
      {"metadata.example", {.v4 = {"169.254.169.254"}, .v6 = {"fd00:ec2::254"}}},
      {"private.example", {.v4 = {"10.0.0.1", "192.168.0.1", "172.16.0.1"}, .v6 = {"fc00::1"}}},
      {"any.example", {.v4 = {"0.0.0.0"}, .v6 = {"::"}}},
      {"xn--lcalhost-55a.example", {.v4 = {"127.0.0.1"}, .v6 = {}}},
      {"rebind.example", {.v4 = {"127.0.0.2"}, .v6 = {}, .ttl = 0, .later_v4 = {"127.0.0.1"}}},
  }};
  Listener listener_;
  std::optional<Resolver> resolver_;
  std::optional<Client> client_;
};

TEST_F(EgressTricks, NoneReachesThisMachine) {
  static_assert(std::size(kTricks) >= 100);
  for (std::string url : kTricks) {
    if (const auto at = url.find("PORT"); at != std::string::npos) {
      url.replace(at, 4, listener_.port());
    }
    const Outcome outcome = call(url);
    ASSERT_FALSE(outcome.has_value()) << url;
    EXPECT_THAT(outcome.error().step,
                AnyOf(AttemptStep::prepare, AttemptStep::dns, AttemptStep::egress))
        << url << ": " << outcome.error().message;
    EXPECT_FALSE(listener_.was_reached()) << url;
  }
}

TEST_F(EgressTricks, NameThatResolvesElsewhereTheSecondTimeIsJudgedAgain) {
  const EgressGuard guard({*Cidr::parse("127.0.0.2/32")});
  const std::string url = "http://rebind.example:" + listener_.port() + "/";
  guard_with(guard);
  expect_failure(call(url), AttemptStep::timeout, "");
  EXPECT_TRUE(listener_.was_reached()) << "the first answer is an allowed address";
  guard_with(guard);
  expect_failure(call(url), AttemptStep::egress, "127.0.0.1");
  EXPECT_FALSE(listener_.was_reached());
}

}  // namespace
}  // namespace grapnel::http
