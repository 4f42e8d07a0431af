#include "model/headers.h"

#include <gtest/gtest.h>

namespace grapnel::model {
namespace {

TEST(Headers, NameWithAnythingButTokenCharactersIsRefused) {
  for (const std::string_view name : std::initializer_list<std::string_view>{
           "", " ", "X Y", "X:", "X\r\n", "X\n", "Ü", "(x)", "a/b", "a@b", "a\"b", "a{b",
           std::string_view{"a\0b", 3}, "a\x7f"}) {
    EXPECT_FALSE(is_header_name(name)) << name;
  }
  EXPECT_TRUE(is_header_name("X-GitHub-Event"));
  EXPECT_TRUE(is_header_name("!#$%&'*+-.^_`|~09azAZ"));
}

TEST(Headers, ValueThatCouldEndTheLineIsRefused) {
  for (const std::string_view value : std::initializer_list<std::string_view>{
           "a\r\nX: y", "a\n", "\r", std::string_view{"a\0", 2}, "a\x7f", "\x1b[0m"}) {
    EXPECT_FALSE(is_header_value(value));
  }
  EXPECT_TRUE(is_header_value(""));
  EXPECT_TRUE(is_header_value("a\tb c"));
  EXPECT_TRUE(is_header_value("\xc3\xbc"));
}

TEST(Headers, FirstOfSeveralFieldsIsFoundWhateverItsLetterCase) {
  const HeaderList headers{{"Accept", "a"}, {"X-One", "1"}, {"x-ONE", "2"}};
  EXPECT_EQ(find_header(headers, "x-one"), "1");
  EXPECT_EQ(find_header(headers, "x-on"), std::nullopt);
  EXPECT_EQ(find_header(headers, ""), std::nullopt);
}

TEST(Headers, RemoveTakesEveryFieldOfThatNameAndKeepsTheOrderOfTheRest) {
  HeaderList headers{{"A", "1"}, {"b", "2"}, {"a", "3"}, {"C", "4"}};
  remove_header(headers, "a");
  EXPECT_EQ(headers, (HeaderList{{"b", "2"}, {"C", "4"}}));
}

TEST(Headers, NamesCompareByAsciiLettersOnly) {
  EXPECT_TRUE(same_name("ETag", "etag"));
  EXPECT_FALSE(same_name("\xc4", "\xe4"));  // latin-1 letters have no case here
  EXPECT_FALSE(same_name("@", "`"));        // 0x40 and 0x60 differ in the same bit as A and a
}

TEST(Headers, HopByHopFieldsAreKnown) {
  for (const std::string_view name :
       {"connection", "Keep-Alive", "transfer-encoding", "TE", "Upgrade"}) {
    EXPECT_TRUE(is_hop_by_hop(name)) << name;
  }
  EXPECT_FALSE(is_hop_by_hop("Content-Type"));
  EXPECT_FALSE(is_hop_by_hop("Host"));
}

TEST(Headers, NamesThatUsuallyCarryCredentialsAreKnown) {
  for (const std::string_view name : {"Authorization",
                                      "proxy-authorization",
                                      "Cookie",
                                      "X-Api-Key",
                                      "X-Gitlab-Token",
                                      "X-Auth",
                                      "X-AccessToken",
                                      "api_key",
                                      "X-Client-Secret",
                                      "aeg-sas-key",
                                      "X-Vault-Token",
                                      "X-JWT",
                                      "Ocp-Apim-Subscription-Key",
                                      "X-Db-Password",
                                      "Session-Id",
                                      "APIKEY",
                                      "X-Api-Key-2",
                                      "X-ApiKey-Prod",
                                      "X-Pass",
                                      "X-OTP",
                                      "Set-Cookie"}) {
    EXPECT_TRUE(is_credential_name(name)) << name;
  }
  for (const std::string_view name :
       {"Content-Type", "X-Env", "Idempotency-Key", "x-idempotency-key", "X-Webhook-Signature-256",
        "webhook-signature", "User-Agent", "X-Keyboard", "X-Sasquatch", "", "-"}) {
    EXPECT_FALSE(is_credential_name(name)) << name;
  }
}

TEST(Headers, CredentialsOfOthersAreNotShownButTheirDigestsAre) {
  EXPECT_EQ(shown_value({"X-Auth-Token", "hunter2"}), "[cut]");
  EXPECT_EQ(shown_value({"Set-Cookie", "a=b"}), "[cut]");
  EXPECT_EQ(shown_value({"Authorization", "digest:abc"}), "digest:abc");
  EXPECT_EQ(shown_value({"X-A", "b\xff"}), "b\xEF\xBF\xBD");
}

}  // namespace
}  // namespace grapnel::model
