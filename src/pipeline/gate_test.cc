// Verification on the way in, through a whole pipeline: order, handshakes, batches, quarantine.
#include "pipeline/gate.h"

#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "crypto/digest.h"
#include "pipeline/rig.h"
#include "signature/provider.h"

namespace grapnel::pipeline {
namespace {

using model::InboundSecret;
using signature::Rejection;

class GateTest : public ::testing::Test {
 protected:
  model::Source make(const std::string& provider, const std::string& secret,
                     const std::function<void(model::Source&)>& change = {}) {
    model::Source source;
    source.id = rig_.ids.make<model::SourceId>();
    source.slug = "s";
    source.inbound.provider = provider;
    if (change) change(source);
    EXPECT_TRUE(signature::settle(source));
    source.inbound.secrets.push_back(
        {.sealed = seal_for(rig_.box, source.id, secret).value(), .fingerprint = "f"});
    return rig_.put(source);
  }
  static std::string hex_mac(std::string_view key, std::string_view body) {
    return crypto::hex_encode(crypto::as_text(crypto::hmac_sha256(key, body)));
  }
  std::expected<Receipt, Refusal> github(std::string body, std::string signature,
                                         std::string delivery = "d") {
    return rig_.receive("s", std::move(body),
                        {{"X-Hub-Signature-256", "sha256=" + std::move(signature)},
                         {"X-GitHub-Delivery", std::move(delivery)}});
  }
  std::expected<Receipt, Refusal> ask(model::HttpRequest request) {
    return doubles::run(rig_.loop, rig_.ingest().receive("s", std::move(request)));
  }

  Rig rig_;
};

TEST_F(GateTest, AVerifiedRequestIsAnEventThatSaysBy) {
  make("github", "key");
  ASSERT_TRUE(github("{}", hex_mac("key", "{}")));
  const auto held = rig_.store.tables().events();
  ASSERT_EQ(held.size(), 1U);
}

TEST_F(GateTest, AnUnverifiedRequestTakesNoKeyAndNothingOfTheRate) {
  make("github", "key", [](model::Source& source) { source.rate_limit = {1, 1}; });
  for (int i = 0; i < 10; ++i) {
    const auto refused = github("{}", hex_mac("wrong", "{}"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, RefusalKind::unverified);
    EXPECT_EQ(refused.error().rejected, Rejection::no_match);
    EXPECT_EQ(refused.error().detail.find("match"), std::string::npos);
  }
  const auto first = github("{}", hex_mac("key", "{}"));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->admission, model::Admission::accepted);
  rig_.advance(Millis{2'000});
  EXPECT_EQ(github("{}", hex_mac("key", "{}"))->admission, model::Admission::duplicate);
}

TEST_F(GateTest, LargeBodiesVerifyAsSmallOnesDo) {
  make("github", "key", [](model::Source& source) { source.body_bytes_max = 4 << 20; });
  std::string body(600'000, 'x');
  const auto mac = hex_mac("key", body);
  EXPECT_TRUE(github(body, mac));
  body[599'999] = 'y';
  EXPECT_FALSE(github(body, mac));
}

TEST_F(GateTest, SecretsThatDoNotOpenLetNobodyIn) {
  auto source = make("github", "key");
  source.inbound.secrets[0].sealed = "v1:00000000:AAAA";
  rig_.put(source);
  const auto refused = github("{}", hex_mac("key", "{}"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().rejected, Rejection::unusable);
}

TEST_F(GateTest, HttpsIsRequiredWhereTheSourceSaysSo) {
  make("github", "key", [](model::Source& source) { source.inbound.require_https = true; });
  auto request =
      Rig::request("s", "{}", {{"X-Hub-Signature-256", "sha256=" + hex_mac("key", "{}")}});
  EXPECT_EQ(ask(request).error().rejected, Rejection::insecure);
  request.secure = true;
  EXPECT_TRUE(ask(request));
}

TEST_F(GateTest, HandshakesAreAnsweredAndStoreNothing) {
  make("meta", "app");
  auto source = rig_.current(rig_.store.snapshot()->find_source("s")->source.id);
  source.inbound.secrets.push_back({.sealed = seal_for(rig_.box, source.id, "token").value(),
                                    .use = InboundSecret::Use::handshake});
  rig_.put(source);
  model::HttpRequest request{
      .method = "GET",
      .target = "/webhooks/s?hub.mode=subscribe&hub.challenge=42&hub.verify_token=token"};
  auto answer = ask(request);
  ASSERT_TRUE(answer && answer->answer);
  EXPECT_EQ(answer->answer->body, "42");
  request.target = "/webhooks/s?hub.mode=subscribe&hub.challenge=42&hub.verify_token=app";
  EXPECT_EQ(ask(request).error().kind, RefusalKind::handshake);
  EXPECT_TRUE(rig_.store.tables().events().empty());
}

TEST_F(GateTest, AnUnsignedChallengeIsNotAnswered) {
  make("slack", "key");
  const auto refused = rig_.receive("s", R"({"type":"url_verification","challenge":"abc"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().rejected, Rejection::missing_signature);
}

TEST_F(GateTest, ABatchIsAcceptedAllOrNoneAndDuplicatesAreTold) {
  make("cloudevents", "tok");
  const auto event = [](const std::string& id) {
    return R"({"specversion":"1.0","type":"t","source":"/a","id":")" + id + "\"}";
  };
  const model::HeaderList headers{{"Authorization", "Bearer tok"},
                                  {"Content-Type", "application/cloudevents-batch+json"}};
  const auto one = rig_.receive("s", "[" + event("1") + "," + event("2") + "]", headers);
  ASSERT_TRUE(one && one->batch);
  ASSERT_EQ(one->batch->size(), 2U);
  const auto two = rig_.receive("s", "[" + event("2") + "," + event("3") + "]", headers);
  ASSERT_TRUE(two && two->batch);
  EXPECT_EQ(two->batch->at(0).admission, model::Admission::duplicate);
  EXPECT_EQ(two->batch->at(0).event, one->batch->at(1).event);
  EXPECT_EQ(two->batch->at(1).admission, model::Admission::accepted);
  const auto bad = rig_.receive("s", "[" + event("4") + ",{}]", headers);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().kind, RefusalKind::invalid_event);
  EXPECT_EQ(rig_.store.tables().events().size(), 3U);
  EXPECT_EQ(rig_.receive("s", "[]", headers)->batch->size(), 0U);
}

TEST_F(GateTest, WhatIsRefusedIsKeptWithinBoundsAndWithoutSecrets) {
  make("api-key", "key", [](model::Source& source) { source.inbound.quarantine = 2; });
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(rig_.receive("s", std::to_string(i), {{"X-Api-Key", "guess"}}));
  }
  const auto source = rig_.store.snapshot()->find_source("s")->source;
  const auto kept = rig_.process->quarantine().of(source.id);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0]->request.body, "4");
  EXPECT_EQ(kept[0]->why.reason, Rejection::no_match);
  EXPECT_TRUE(kept[0]->request.headers[0].value.starts_with("digest:"));
  EXPECT_EQ(rig_.process->quarantine().clear(source.id), 2U);
  EXPECT_EQ(rig_.process->quarantine().bytes(), 0U);
}

}  // namespace
}  // namespace grapnel::pipeline
