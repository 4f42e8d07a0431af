#include "surface/cli/echo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "signature/body_hmac.h"
#include "signature/standard_webhooks.h"
#include "surface/cli/scripted_terminal.h"

namespace grapnel::cli {
namespace {

using testing::HasSubstr;
using Kind = SignatureVerdict::Kind;

constexpr std::string_view kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view kBody = R"({"type":"order.paid"})";
constexpr Time kNow = doubles::kManualStart;

model::HeaderList signed_headers(std::string_view secret, std::string_view body, Time at = kNow) {
  const auto key = signature::SigningKey::parse(secret);
  const std::array keys{&*key};
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
  return {{"webhook-id", "evt_1"},
          {"webhook-timestamp", std::to_string(seconds)},
          {"webhook-signature", signature::sign(keys, "evt_1", seconds, body)},
          {"X-Grapnel-Attempt", "2"}};
}

SignatureVerdict verdict_of(const std::vector<std::string>& secrets,
                            const model::HeaderList& headers, std::string_view body = kBody) {
  const auto verifier = EchoVerifier::make(secrets);
  EXPECT_TRUE(verifier);
  return verifier->check(headers, body, kNow);
}

TEST(EchoVerifier, WrongBodyIsBad) {
  EXPECT_EQ(verdict_of({std::string(kSecret)}, signed_headers(kSecret, kBody), "other").kind,
            Kind::bad);
}

TEST(EchoVerifier, WrongSecretIsBad) {
  EXPECT_EQ(verdict_of({"whsec_AAAA"}, signed_headers(kSecret, kBody)).kind, Kind::bad);
}

TEST(EchoVerifier, StaleTimestampIsBadAlthoughTheBodyHmacMatches) {
  auto headers = signed_headers("plain", kBody, kNow - std::chrono::minutes(10));
  headers.push_back({"X-Webhook-Signature-256", signature::sign_body("plain", kBody)});
  EXPECT_EQ(verdict_of({"plain"}, headers).kind, Kind::bad);
}

TEST(EchoVerifier, UnsignedIsNone) {
  EXPECT_EQ(verdict_of({std::string(kSecret)}, {}).kind, Kind::none);
}

TEST(EchoVerifier, SignedWithoutASecretIsUnchecked) {
  EXPECT_EQ(verdict_of({}, signed_headers(kSecret, kBody)).kind, Kind::unchecked);
}

TEST(EchoVerifier, AnyOfTheSecretsMayMatch) {
  const auto verdict =
      verdict_of({"whsec_AAAA", std::string(kSecret)}, signed_headers(kSecret, kBody));
  EXPECT_EQ(verdict.kind, Kind::ok);
  EXPECT_EQ(verdict.detail, "v1");
}

TEST(EchoVerifier, BodyHmacAloneIsChecked) {
  const model::HeaderList headers{
      {"X-Webhook-Signature-256", signature::sign_body("plain", kBody)}};
  EXPECT_EQ(verdict_of({"plain"}, headers).detail, "sha256");
  EXPECT_EQ(verdict_of({"other"}, headers).kind, Kind::bad);
}

TEST(EchoVerifier, SecretThatIsNoKeyIsRefusedWithoutRepeatingIt) {
  const auto verifier = EchoVerifier::make({"whsec_not*base64"});
  ASSERT_FALSE(verifier);
  EXPECT_THAT(verifier.error().context, testing::Not(HasSubstr("not*base64")));
}

class EchoTest : public testing::Test {
 protected:
  /// What `grapnel echo` answers to one request; its line is in terminal_.out.
  model::HttpResponse received(std::vector<std::string> arguments, model::HttpRequest request) {
    model::HttpResponse answer;
    terminal_.stop_after([&] { return handle_one(request, answer); });
    arguments.insert(arguments.begin(), "echo");
    EXPECT_EQ(terminal_.run(std::move(arguments)), 0) << terminal_.err;
    return answer;
  }
  async::Task<> handle_one(const model::HttpRequest& request, model::HttpResponse& answer) {
    answer = co_await terminal_.handler->handle(request);
  }

  ScriptedTerminal terminal_;
};

TEST_F(EchoTest, DeliveryIsOneReadableLine) {
  const auto answer = received({"--secret", std::string(kSecret), "--listen", "127.0.0.1:0"},
                               {.method = "POST",
                                .target = "/hook",
                                .headers = signed_headers(kSecret, kBody),
                                .body = std::string(kBody)});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(terminal_.listened_on, "127.0.0.1:0");
  EXPECT_EQ(terminal_.out,
            "00:00:00.000  evt_1  order.paid  attempt 2  signature ok (v1)  21 B  POST /hook\n");
  EXPECT_EQ(terminal_.err, "listening on http://127.0.0.1:4711/ (Ctrl-C ends)\n");
}

TEST_F(EchoTest, AnswersAsToldAndPrintsBodies) {
  const auto answer = received({"--status", "503", "--print-body"},
                               {.method = "POST", .target = "/", .body = "a\x1b\nb"});
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(terminal_.out, HasSubstr("(no id)  webhook  attempt -  signature none  4 B"));
  EXPECT_THAT(terminal_.out, HasSubstr("\na\\x1b\nb\n"));
}

}  // namespace
}  // namespace grapnel::cli
