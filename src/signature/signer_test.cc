#include "signature/signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "crypto/base64.h"
#include "signature/body_hmac.h"
#include "signature/errors.h"
#include "signature/standard_webhooks.h"

namespace grapnel::signature {
namespace {

using model::Header;
using model::kSchemeSha256;
using model::kSchemeV1;
using model::kSchemeV1a;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kPair =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
constexpr std::string_view kId = "evt_1";
constexpr std::string_view kBody = "{}";
constexpr std::string_view kTimestamp = "1700000000";
const Time kNow{std::chrono::seconds(1'700'000'000)};
constexpr Millis kHour{3'600'000};

OpenedSecret secret(std::string_view text, Time created, std::optional<Time> expires = {},
                    std::optional<Time> primary_from = {}) {
  return {crypto::Secret(text), created, expires, primary_from};
}

Signer signer_of(std::vector<OpenedSecret> secrets) {
  return Signer::make(std::move(secrets)).value();
}

std::string value_of(const Result<model::HeaderList>& headers, std::string_view name) {
  return std::string(model::find_header(headers.value(), name).value_or("absent"));
}

std::string v1(std::string_view text) {
  return SigningKey::parse(text).value().sign(kId, kTimestamp, kBody);
}

Result<model::HeaderList> sign_at(const Signer& signer, Time store, std::uint8_t schemes) {
  return signer.sign(kId, {.wall = kNow, .store = store}, kBody, schemes);
}

/// `old` until in an hour; `new` made now, primary in half an hour.
Signer rotating() {
  return signer_of(
      {secret("new", kNow, {}, kNow + kHour / 2), secret("old", kNow - kHour, kNow + kHour)});
}

TEST(Signer, SchemeWithoutAKeyIsAnError) {
  const Signer none = signer_of({});
  const Signer pair = signer_of({secret(kPair, kNow)});
  const Signer plain = signer_of({secret("plain", kNow)});
  const Signer expired = signer_of({secret("plain", kNow - kHour, kNow)});
  EXPECT_EQ(sign_at(none, kNow, kSchemeV1).error().code, errc::no_key);
  EXPECT_EQ(sign_at(pair, kNow, kSchemeV1).error().code, errc::no_key);
  EXPECT_EQ(sign_at(pair, kNow, kSchemeSha256).error().code, errc::no_key);
  EXPECT_EQ(sign_at(plain, kNow, kSchemeV1a).error().code, errc::no_key);
  EXPECT_EQ(sign_at(plain, kNow, kSchemeV1 | kSchemeV1a).error().code, errc::no_key);
  EXPECT_EQ(sign_at(expired, kNow, kSchemeV1).error().code, errc::no_key);
  EXPECT_EQ(sign_at(expired, kNow, kSchemeSha256).error().code, errc::no_key);
}

TEST(Signer, OneBadSecretIsAnErrorAndStaysUnseen) {
  const auto signer = Signer::make({secret("good", kNow), secret("whsec_%%%%", kNow)});
  ASSERT_FALSE(signer);
  EXPECT_EQ(signer.error().code, errc::bad_key);
  EXPECT_THAT(signer.error().message(), ::testing::Not(HasSubstr("%")));
}

TEST(Signer, V1CarriesIdTimestampAndSignature) {
  const auto headers = sign_at(signer_of({secret("text", kNow)}), kNow, kSchemeV1);
  EXPECT_THAT(headers.value(),
              ElementsAre(Header{"webhook-id", "evt_1"}, Header{"webhook-timestamp", "1700000000"},
                          Header{"webhook-signature", v1("text")}));
}

TEST(Signer, WhatItSignsVerifies) {
  const Signer signer = signer_of({secret(kPair, kNow), secret("text", kNow)});
  const auto headers = sign_at(signer, kNow, kSchemeV1 | kSchemeV1a | kSchemeSha256).value();
  for (const std::string_view text : {std::string_view("text"), kPair}) {
    const std::vector keys{VerifyingKey::parse(text).value()};
    EXPECT_TRUE(verify(keys, envelope_of(headers), kBody, kNow)) << text;
  }
  EXPECT_TRUE(verify_body("text", model::find_header(headers, kBodyHmacHeader).value(), kBody));
}

TEST(Signer, TimestampIsTheWallClocks) {
  const auto headers = signer_of({secret("text", kNow)})
                           .sign(kId, {.wall = kNow + kHour, .store = kNow}, kBody, kSchemeV1);
  EXPECT_EQ(value_of(headers, "webhook-timestamp"), "1700003600");
}

TEST(Signer, BothKeysSignUntilTheOldOneExpires) {
  const Signer signer = rotating();
  const std::string both = v1("new") + " " + v1("old");
  EXPECT_EQ(value_of(sign_at(signer, kNow, kSchemeV1), "webhook-signature"), both);
  EXPECT_EQ(value_of(sign_at(signer, kNow + kHour - Millis{1}, kSchemeV1), "webhook-signature"),
            both);
  EXPECT_EQ(value_of(sign_at(signer, kNow + kHour, kSchemeV1), "webhook-signature"), v1("new"));
}

TEST(Signer, OneValueSchemeChangesWhenTheNewKeyBecomesPrimary) {
  const Signer signer = rotating();
  const auto value_at = [&](Time time) {
    return value_of(sign_at(signer, time, kSchemeSha256), kBodyHmacHeader);
  };
  EXPECT_EQ(value_at(kNow), sign_body("old", kBody));
  EXPECT_EQ(value_at(kNow + kHour / 2 - Millis{1}), sign_body("old", kBody));
  EXPECT_EQ(value_at(kNow + kHour / 2), sign_body("new", kBody));
  EXPECT_EQ(value_at(kNow + 2 * kHour), sign_body("new", kBody));
}

TEST(Signer, OnlyKeyLeftIsPrimaryEvenBeforeItsTime) {
  const Signer signer = signer_of(
      {secret("new", kNow, {}, kNow + 2 * kHour), secret("old", kNow - kHour, kNow + kHour)});
  EXPECT_EQ(value_of(sign_at(signer, kNow + kHour, kSchemeSha256), kBodyHmacHeader),
            sign_body("new", kBody));
}

TEST(Signer, OneValueSchemeKeysWithTheLiteralTextAndNeverWithAPrivateKey) {
  const Signer signer = signer_of({secret(kPair, kNow), secret("whsec_AAAA", kNow - kHour)});
  EXPECT_EQ(value_of(sign_at(signer, kNow, kSchemeSha256), kBodyHmacHeader),
            sign_body("whsec_AAAA", kBody));
}

TEST(Signer, OrderOfTheSecretsDoesNotMatter) {
  const Signer signer = signer_of({secret("old", kNow - kHour), secret("new", kNow)});
  EXPECT_EQ(value_of(sign_at(signer, kNow, kSchemeV1), "webhook-signature"),
            v1("new") + " " + v1("old"));
}

TEST(Signer, WithoutASchemeOnlyIdAndTimestampGoOut) {
  EXPECT_EQ(sign_at(signer_of({}), kNow, 0).value().size(), 2U);
}

TEST(MakeSecret, IsUsableAndNeverTheSame) {
  SystemRandom random;
  const crypto::Secret a = make_secret(random);
  EXPECT_TRUE(a.reveal().starts_with("whsec_"));
  EXPECT_EQ(crypto::base64_decode(a.reveal().substr(6)).value().size(), 32U);
  EXPECT_EQ(SigningKey::parse(a.reveal()).value().version(), Version::v1);
  EXPECT_NE(a.reveal(), make_secret(random).reveal());

  const crypto::Secret pair = make_asymmetric_secret(random);
  EXPECT_TRUE(pair.reveal().starts_with("whsk_"));
  EXPECT_EQ(crypto::base64_decode(pair.reveal().substr(5)).value().size(), 64U);
  EXPECT_TRUE(SigningKey::parse(pair.reveal()).value().public_key().starts_with("whpk_"));
  EXPECT_NE(pair.reveal(), make_asymmetric_secret(random).reveal());
}

}  // namespace
}  // namespace grapnel::signature
