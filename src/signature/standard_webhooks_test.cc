#include "signature/standard_webhooks.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "crypto/base64.h"
#include "signature/errors.h"

namespace grapnel::signature {
namespace {

struct Vector {
  std::string_view secret;
  std::string_view id;
  std::int64_t timestamp_s;
  std::string_view body;
  std::string_view signature;
};

// The first is in every reference library's tests, the second in the Rust library's, the third in
// Svix's test of Ed25519 signing, with the key pair of its README.
constexpr Vector kSymmetric = {
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
    R"({"test": 2432232314})", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="};
constexpr Vector kSecond = {"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
                            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1649367553,
                            R"({"email":"test@example.com","username":"test_user"})",
                            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="};
constexpr Vector kAsymmetric = {
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
    "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})",
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="};
constexpr std::string_view kPublic = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";

Time at(std::int64_t seconds, Millis more = Millis{0}) {
  return Time{std::chrono::seconds(seconds)} + more;
}

std::vector<VerifyingKey> keys_of(std::initializer_list<std::string_view> texts) {
  std::vector<VerifyingKey> keys;
  for (const std::string_view text : texts) keys.push_back(VerifyingKey::parse(text).value());
  return keys;
}

/// What verifying the first vector gives when its signature header is another, or the time.
struct Verification {
  std::string id{kSymmetric.id};
  std::string timestamp = std::to_string(kSymmetric.timestamp_s);
  std::string signature{kSymmetric.signature};
  std::string body{kSymmetric.body};
  Time now = at(kSymmetric.timestamp_s);
  std::vector<VerifyingKey> keys = keys_of({kSymmetric.secret});

  Result<> run() const { return verify(keys, {id, timestamp, signature}, body, now); }
  std::error_code code() const {
    const auto result = run();
    return result ? std::error_code() : result.error().code;
  }
};

TEST(StandardWebhooks, EachMissingHeaderIsNamed) {
  EXPECT_EQ(Verification{.id = ""}.run().error().message(), "webhook-id is missing");
  EXPECT_EQ(Verification{.timestamp = ""}.run().error().message(), "webhook-timestamp is missing");
  EXPECT_EQ(Verification{.signature = ""}.run().error().message(), "webhook-signature is missing");
  EXPECT_EQ(Verification{.signature = ""}.code(), errc::missing_header);
}

TEST(StandardWebhooks, TimestampIsWholeSecondsInDigits) {
  for (const std::string_view text :
       {"now", "1614265330.5", "-1614265330", "+1614265330", " 1614265330", "1614265330 ",
        "0x6037b7f2", "1e9", "1614265330\n", "99999999999999999999999"}) {
    EXPECT_EQ(Verification{.timestamp = std::string(text)}.code(), errc::bad_timestamp) << text;
  }
}

TEST(StandardWebhooks, FiveMinutesEachWayAndNoSecondMore) {
  const std::int64_t t = kSymmetric.timestamp_s;
  EXPECT_EQ(Verification{.now = at(t + 301)}.code(), errc::too_old);
  EXPECT_EQ(Verification{.now = at(t - 301)}.code(), errc::too_new);
  EXPECT_EQ(Verification{.now = at(t + 300)}.code(), std::error_code());
  EXPECT_EQ(Verification{.now = at(t + 300, Millis{999})}.code(), std::error_code());
  EXPECT_EQ(Verification{.now = at(t - 300)}.code(), std::error_code());
  EXPECT_EQ(Verification{.timestamp = "0"}.code(), errc::too_old);
  EXPECT_EQ(Verification{.timestamp = "999999999999"}.code(), errc::too_new);
}

TEST(StandardWebhooks, WrongSignaturesDoNotMatch) {
  const std::string good(kSymmetric.signature);
  for (const std::string& text :
       {good.substr(0, good.size() - 1), good + "=", std::string("v1,"), "v1, " + good.substr(3),
        std::string("v1,AAAA"), "v1," + good, "v1a," + good.substr(3) + " v1,x"}) {
    EXPECT_EQ(Verification{.signature = text}.code(), errc::no_match) << text;
  }
  EXPECT_EQ(Verification{.body = "{\"test\":2432232314}"}.code(), errc::no_match);
  EXPECT_EQ(Verification{.body = ""}.code(), errc::no_match);
  EXPECT_EQ(Verification{.id = "msg_other"}.code(), errc::no_match);
  EXPECT_EQ(Verification{.timestamp = "1614265331"}.code(), errc::no_match);
  EXPECT_EQ(Verification{.keys = keys_of({kSecond.secret})}.code(), errc::no_match);
  // Without its prefix the text is another key.
  EXPECT_EQ(Verification{.keys = keys_of({kSymmetric.secret.substr(6)})}.code(), errc::no_match);
  EXPECT_EQ(Verification{.keys = {}}.code(), errc::no_key);
}

TEST(StandardWebhooks, UnknownVersionsAreSkipped) {
  const std::string good(kSymmetric.signature);
  for (const std::string& text :
       {"v2" + good.substr(2), "V1" + good.substr(2), good.substr(3), std::string(" "),
        std::string(","), std::string("v1"), "," + good}) {
    EXPECT_EQ(Verification{.signature = text}.code(), errc::no_known_version) << text;
  }
  EXPECT_TRUE(Verification{.signature = "v2,x  nonsense " + good + " v1,AAAA"}.run());
}

TEST(StandardWebhooks, OneGoodSignatureAmongSeveralIsEnough) {
  const std::string good(kSymmetric.signature);
  EXPECT_TRUE(Verification{.signature = "v1,AAAA " + good}.run());
  EXPECT_TRUE((Verification{.signature = std::string(kAsymmetric.signature) + " " + good}.run()));
  EXPECT_TRUE((Verification{.keys = keys_of({kSecond.secret, kSymmetric.secret})}.run()));
}

TEST(StandardWebhooks, EndlessHeaderIsRefused) {
  std::string many;
  for (std::size_t i = 0; i < kSignaturesMax; ++i) many += "v1,AAAA ";
  EXPECT_EQ(Verification{.signature = many}.code(), errc::no_match);
  EXPECT_EQ(Verification{.signature = many + "v2,x"}.code(), errc::too_many_signatures);
  many.clear();
  for (std::size_t i = 0; i < kAsymmetricSignaturesMax; ++i) many += "v1a,AAAA ";
  EXPECT_EQ(Verification{.signature = many}.code(), errc::no_match);
  EXPECT_EQ(Verification{.signature = many + "v1a,AAAA"}.code(), errc::too_many_signatures);
}

TEST(StandardWebhooks, IdWithADotIsRefused) {
  const auto key = SigningKey::parse(kSymmetric.secret).value();
  const std::string body = "1614265330.{}";
  // Signed as id "msg" at 1614265300 with that body; read as id "msg.1614265300" with body "{}".
  const std::string signature = key.sign("msg", "1614265300", body);
  EXPECT_TRUE(
      (Verification{.id = "msg", .timestamp = "1614265300", .signature = signature, .body = body}
           .run()));
  EXPECT_EQ((Verification{.id = "msg.1614265300", .signature = signature, .body = "{}"}.code()),
            errc::bad_id);
}

TEST(StandardWebhooks, VersionsDoNotStandInForEachOther) {
  // A secret whose bytes are the public key: its HMAC must not pass as a signature of the pair.
  const std::string bytes = crypto::base64_decode(kPublic.substr(5)).value();
  const auto forged = SigningKey::parse("whsec_" + crypto::base64_encode(bytes)).value();
  const std::string entry = forged.sign(kSymmetric.id, "1614265330", kSymmetric.body);
  EXPECT_EQ((Verification{.signature = entry, .keys = keys_of({kPublic})}.code()), errc::no_match);
  EXPECT_EQ((Verification{.signature = "v1a" + entry.substr(2), .keys = keys_of({kPublic})}.code()),
            errc::no_match);
}

TEST(StandardWebhooks, SignsAndVerifiesThePublishedVectors) {
  for (const Vector& vector : {kSymmetric, kSecond, kAsymmetric}) {
    const auto key = SigningKey::parse(vector.secret).value();
    const SigningKey* const list[] = {&key};
    EXPECT_EQ(sign(list, vector.id, vector.timestamp_s, vector.body), vector.signature);
    const std::string timestamp = std::to_string(vector.timestamp_s);
    EXPECT_TRUE(verify(keys_of({vector.secret}), {vector.id, timestamp, vector.signature},
                       vector.body, at(vector.timestamp_s)));
  }
  EXPECT_TRUE(
      (Verification{.signature = std::string(kAsymmetric.signature), .keys = keys_of({kPublic})}
           .run()));
}

TEST(StandardWebhooks, EmptyBodyIsSignedToo) {
  const auto key = SigningKey::parse(kSymmetric.secret).value();
  const Verification empty{.signature = key.sign(kSymmetric.id, "1614265330", ""), .body = ""};
  EXPECT_TRUE(empty.run());
}

TEST(StandardWebhooks, HeadersAreFoundWhateverTheirCase) {
  const model::HeaderList headers{{"Webhook-Id", "a"},
                                  {"WEBHOOK-TIMESTAMP", "1"},
                                  {"webhook-signature", "v1,x"},
                                  {"other", "y"}};
  const Envelope envelope = envelope_of(headers);
  EXPECT_EQ(envelope.id, "a");
  EXPECT_EQ(envelope.timestamp, "1");
  EXPECT_EQ(envelope.signature, "v1,x");
  const model::HeaderList none;
  EXPECT_EQ(envelope_of(none).id, "");
}

}  // namespace
}  // namespace grapnel::signature
