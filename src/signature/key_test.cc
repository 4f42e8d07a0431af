#include "signature/key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "crypto/base64.h"
#include "signature/errors.h"

namespace grapnel::signature {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kPrivate =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
constexpr std::string_view kPublic = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";

TEST(Key, RefusesWhatItsPrefixDoesNotAllow) {
  const std::string short_pair = "whsk_" + crypto::base64_encode(std::string(63, 'k'));
  for (const std::string& text :
       {std::string(), std::string("whsec_"), std::string("whsec_not base64"),
        std::string("whsec_===="), std::string("whsk_"), short_pair, std::string(kPublic),
        std::string("whsk_") + crypto::base64_encode(std::string(65, 'k'))}) {
    const auto key = SigningKey::parse(text);
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(key.error().code, errc::bad_key);
    if (text.size() > 6) EXPECT_THAT(key.error().message(), Not(HasSubstr(text.substr(6))));
  }
  for (const std::string& text :
       {std::string(), std::string("whsec_"), std::string("whpk_"), std::string("whpk_AAAA"),
        "whpk_" + crypto::base64_encode(std::string(33, 'k')), short_pair}) {
    EXPECT_EQ(VerifyingKey::parse(text).error().code, errc::bad_key) << text;
  }
}

TEST(Key, HalvesThatDoNotBelongTogetherAreRefused) {
  std::string bytes = crypto::base64_decode(kPrivate.substr(5)).value();
  bytes[40] = static_cast<char>(bytes[40] ^ 1);
  const auto key = SigningKey::parse("whsk_" + crypto::base64_encode(bytes));
  ASSERT_FALSE(key);
  EXPECT_THAT(key.error().message(), HasSubstr("does not belong"));
}

// facts of Svix's README: this private key has this public key.
TEST(Key, PublicHalfOfAPrivateKey) {
  const auto key = SigningKey::parse(kPrivate).value();
  EXPECT_EQ(key.version(), Version::v1a);
  EXPECT_EQ(key.public_key(), kPublic);
  EXPECT_EQ(key.standard_text().reveal(), kPrivate);
  EXPECT_EQ(VerifyingKey::parse(kPublic).value().version(), Version::v1a);
}

TEST(Key, SeedAloneIsTheSameKey) {
  const std::string seed = crypto::base64_decode(kPrivate.substr(5)).value().substr(0, 32);
  const auto key = SigningKey::parse("whsk_" + crypto::base64_encode(seed)).value();
  EXPECT_EQ(key.standard_text().reveal(), kPrivate);
}

TEST(Key, PrefixDecidesWhatTheBytesAre) {
  const std::string encoded = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const auto decoded = SigningKey::parse("whsec_" + encoded).value();
  const auto literal = SigningKey::parse(encoded).value();
  EXPECT_NE(decoded.sign("id", "1", "body"), literal.sign("id", "1", "body"));
  EXPECT_EQ(decoded.standard_text().reveal(), "whsec_" + encoded);
  EXPECT_EQ(literal.standard_text().reveal(), "whsec_" + crypto::base64_encode(encoded));
  EXPECT_EQ(literal.public_key(), "");
}

TEST(Key, PlainTextAndItsStandardFormSignTheSame) {
  const auto plain = SigningKey::parse("correct horse battery staple").value();
  const auto standard = SigningKey::parse(plain.standard_text().reveal()).value();
  EXPECT_EQ(plain.sign("id", "1", "body"), standard.sign("id", "1", "body"));
}

TEST(Key, SecretMayLackPadding) {
  const std::string padded = crypto::base64_encode(std::string(25, 'k'));
  const auto a = SigningKey::parse("whsec_" + padded).value();
  const auto b = SigningKey::parse("whsec_" + padded.substr(0, padded.find('='))).value();
  EXPECT_EQ(a.sign("id", "1", "body"), b.sign("id", "1", "body"));
}

}  // namespace
}  // namespace grapnel::signature
