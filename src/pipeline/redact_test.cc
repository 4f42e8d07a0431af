#include "pipeline/redact.h"

#include <gtest/gtest.h>

namespace grapnel::pipeline {
namespace {

class Redact : public testing::Test {
 protected:
  std::string target(std::string_view text) const { return redact_target(source, digest, text); }

  crypto::KeyedDigest digest{crypto::Secret(std::string("key"))};
  model::Source source{.secret_headers = {"X-Token"}, .secret_query = {"token", "api key"}};
};

TEST_F(Redact, SecretParameterIsFoundHoweverItsNameIsWritten) {
  for (const char* name :
       {"token", "TOKEN", "tok%65n", "%74%6F%6b%65%6e", "api+key", "api%20key"}) {
    const std::string out = target("/w/a?x=1&" + std::string(name) + "=hunter2&y=2");
    EXPECT_EQ(out.find("hunter2"), std::string::npos) << name;
    EXPECT_TRUE(out.starts_with("/w/a?x=1&" + std::string(name) + "=digest:")) << out;
    EXPECT_TRUE(out.ends_with("&y=2")) << out;
  }
}

TEST_F(Redact, EveryOccurrenceGoesAndAnEqualValueHasAnEqualDigest) {
  const std::string out = target("/?token=a&token=b&token=a");
  const std::string a = digest.text_of("a");
  EXPECT_EQ(out, "/?token=" + a + "&token=" + digest.text_of("b") + "&token=" + a);
}

TEST_F(Redact, WhatIsNoSecretStaysByteForByte) {
  for (const char* text : {"/", "/path", "/?", "/?&&", "/?token", "/?a=b&c", "/?tokens=1",
                           "/token=1", "/?%zz=%", "/?a=token=b", "/?%74oken%=x"}) {
    EXPECT_EQ(target(text), text);
  }
}

TEST_F(Redact, EmptyValueIsADigestToo) {
  EXPECT_EQ(target("/?token="), "/?token=" + digest.text_of(""));
}

TEST_F(Redact, DefaultAndOwnSecretHeadersBecomeDigestsInPlace) {
  model::HeaderList headers{{"AUTHORIZATION", "Bearer x"},
                            {"A", "1"},
                            {"x-token", "t"},
                            {"cookie", "c"},
                            {"X-Api-Key", "k"},
                            {"X-Gitlab-Token", "g"},
                            {"X-Hub-Signature-256", "sha256=00"}};
  redact_headers(source, digest, headers);
  ASSERT_EQ(headers.size(), 7U);
  EXPECT_EQ(headers[0].value, digest.text_of("Bearer x"));
  EXPECT_EQ(headers[1].value, "1");
  EXPECT_EQ(headers[2].value, digest.text_of("t"));
  EXPECT_EQ(headers[3].value, digest.text_of("c"));
  EXPECT_EQ(headers[4].value, digest.text_of("k"));
  EXPECT_EQ(headers[5].value, digest.text_of("g"));
  EXPECT_EQ(headers[6].value, "sha256=00") << "a signature is no secret";
}

}  // namespace
}  // namespace grapnel::pipeline
