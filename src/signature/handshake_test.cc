#include "signature/handshake.h"

#include <gtest/gtest.h>

#include <map>

namespace grapnel::signature {
namespace {

BodyLookup body(std::map<std::string, std::string, std::less<>> values) {
  return [values = std::move(values)](std::string_view pointer) -> std::optional<std::string> {
    const auto found = values.find(pointer);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

std::string header(const model::HttpResponse& answer, std::string_view name) {
  return std::string(model::find_header(answer.headers, name).value_or(""));
}

const crypto::Secret kSecret(std::string_view("s"));

TEST(Handshake, SlackGetsItsChallengeAsText) {
  const auto answer = answer_verified(Handshake::slack, kSecret,
                                      body({{"/type", "url_verification"}, {"/challenge", "abc"}}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "abc");
  EXPECT_EQ(header(*answer, "Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(header(*answer, "X-Content-Type-Options"), "nosniff");
  EXPECT_FALSE(answer_verified(Handshake::slack, kSecret, body({{"/type", "event_callback"}})));
}

TEST(Handshake, ChallengesThatCouldBeMarkupAreNotRepeated) {
  for (const std::string text : {"<script>", "a b", "\"", "", "\n"}) {
    EXPECT_FALSE(answer_verified(Handshake::slack, kSecret,
                                 body({{"/type", "url_verification"}, {"/challenge", text}})))
        << text;
  }
  EXPECT_FALSE(answer_verified(
      Handshake::slack, kSecret,
      body({{"/type", "url_verification"}, {"/challenge", std::string(1'025, 'a')}})));
}

TEST(Handshake, ZoomGetsTheTokenSigned) {
  const auto answer = answer_verified(Handshake::zoom, crypto::Secret(std::string_view("key")),
                                      body({{"/event", "endpoint.url_validation"},
                                            {"/payload/plainToken", "The-quick-brown-fox"}}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body,
            "{\"plainToken\":\"The-quick-brown-fox\",\"encryptedToken\":"
            "\"5ee4f5bb1f492800d4700f2b66e8a906498f4ae637f0ca8abbd976dea04ecb2b\"}\n");
}

TEST(Handshake, DiscordsPingIsAnswered) {
  const auto answer = answer_verified(Handshake::discord, kSecret, body({{"/type", "1"}}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "{\"type\":1}\n");
  EXPECT_FALSE(answer_verified(Handshake::discord, kSecret, body({{"/type", "2"}})));
}

TEST(Handshake, MetaGetsItsChallengeForTheRightTokenOnly) {
  const std::vector<crypto::Secret> tokens{crypto::Secret(std::string_view("right"))};
  const auto ask = [&](std::string query) {
    return answer_unsigned(Handshake::meta, tokens,
                           {.method = "GET", .target = "/webhooks/m?" + query}, 0);
  };
  const auto answer = ask("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=right");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "1158201444");
  EXPECT_FALSE(ask("hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong"));
  EXPECT_FALSE(ask("hub.mode=subscribe&hub.challenge=1&hub.verify_token=right&hub.verify_token="));
  EXPECT_FALSE(ask("hub.mode=x&hub.challenge=1&hub.verify_token=right"));
  EXPECT_FALSE(ask("hub.mode=subscribe&hub.challenge=%3Cb%3E&hub.verify_token=right"));
  EXPECT_FALSE(answer_unsigned(
      Handshake::meta, {},
      {.method = "GET", .target = "/?hub.mode=subscribe&hub.challenge=1&hub.verify_token="}, 0));
}

TEST(Handshake, CloudEventsAreAllowedToAnOriginThatIsADomain) {
  const auto ask = [](std::string origin, double rate) {
    return answer_unsigned(
        Handshake::cloudevents, {},
        {.method = "OPTIONS", .headers = {{"WebHook-Request-Origin", std::move(origin)}}}, rate);
  };
  const auto answer = ask("eventemitter.example.com", 120);
  ASSERT_TRUE(answer);
  EXPECT_EQ(header(*answer, "WebHook-Allowed-Origin"), "eventemitter.example.com");
  EXPECT_EQ(header(*answer, "WebHook-Allowed-Rate"), "120");
  EXPECT_EQ(header(*answer, "Allow"), "POST, OPTIONS");
  EXPECT_EQ(header(*ask("a.example", 0), "WebHook-Allowed-Rate"), "*");
  EXPECT_FALSE(ask("a b", 0));
  EXPECT_FALSE(ask("", 0));
}

}  // namespace
}  // namespace grapnel::signature
