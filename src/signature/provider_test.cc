// Each provider's own vectors where its documentation has some; each good request again with what
// makes it a bad one.
#include "signature/provider.h"

#include <gtest/gtest.h>

#include <map>

#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "crypto/ed25519.h"
#include "signature/form.h"
#include "signature/verifier.h"

namespace grapnel::signature {
namespace {

/// A request that verifies at its own time.
struct Good {
  std::string provider;
  std::string secret;
  model::HttpRequest request;
  std::int64_t now_s = 1'700'000'000;
  std::string public_url = {};
  model::VerifySettings settings = {};
};

Result<Verifier> verifier_of(const Good& good, std::vector<std::string> more = {}) {
  auto scheme = scheme_of({.provider = good.provider, .settings = good.settings});
  if (!scheme) return fail(scheme.error());
  std::vector<crypto::Secret> secrets;
  for (const auto& text : more) secrets.emplace_back(text);
  if (!good.secret.empty()) secrets.emplace_back(good.secret);
  return Verifier::make(std::move(*scheme), std::move(secrets));
}

/// "ok", or why not.
std::string outcome_of(const Good& good, std::vector<std::string> more = {}) {
  const auto verifier = verifier_of(good, std::move(more));
  if (!verifier) return verifier.error().message();
  const auto look_up = [&](std::string_view pointer) -> std::optional<std::string> {
    const std::string name = "\"" + std::string(pointer.substr(1)) + "\":";
    const auto at = good.request.body.find(name);
    if (at == std::string::npos) return std::nullopt;
    const auto start = at + name.size();
    return good.request.body.substr(start, good.request.body.find_first_of(",}", start) - start);
  };
  const auto outcome = verifier->verify(good.request, {.public_url = good.public_url,
                                                       .now = Time{Millis{good.now_s * 1000}},
                                                       .look_up = look_up,
                                                       .before_piece = {}});
  return outcome ? "ok" : std::string(to_text(outcome.error().reason));
}

model::HttpRequest post(std::string body, model::HeaderList headers,
                        std::string target = "/webhooks/a") {
  return {.method = "POST",
          .target = std::move(target),
          .headers = std::move(headers),
          .body = std::move(body)};
}

constexpr std::string_view kSvixSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view kSvixBody = R"({"test": 2432232314})";

std::string discord_key() {
  const crypto::Ed25519Seed seed{1, 2, 3};
  return crypto::hex_encode(crypto::as_text(crypto::Ed25519Key(seed).public_key()));
}

std::string discord_signature(const std::string& message) {
  const crypto::Ed25519Seed seed{1, 2, 3};
  return crypto::hex_encode(crypto::as_text(crypto::Ed25519Key(seed).sign(message)));
}

/// The signature of a text, for providers whose documentation has no vector.
std::string signed_as(const std::string& provider, const std::string& secret,
                      const std::string& text) {
  const std::string_view pieces[] = {text};
  return mac_text(find_provider(provider)->scheme, crypto::Secret(secret), pieces);
}

std::vector<Good> documented() {
  const std::string form =
      "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To="
      "%2B18005551212";
  const std::string slack =
      "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id="
      "G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-"
      "collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%"
      "2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121."
      "803a0bc887a14d10d2c447fce8b6703c";
  return {
      {"github", "It's a Secret to Everybody",
       post("Hello, World!",
            {{"X-Hub-Signature-256",
              "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}})},
      {"bitbucket", "It's a Secret to Everybody",
       post("Hello World!",
            {{"X-Hub-Signature",
              "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"}})},
      {"slack", "8f742231b10e8888abcd99yyyzzz85a5",
       post(slack, {{"X-Slack-Signature",
                     "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"},
                    {"X-Slack-Request-Timestamp", "1531420618"}}),
       1531420618},
      {"square", "asdf1234",
       post(R"({"hello":"world"})",
            {{"x-square-hmacsha256-signature", "2kRE5qRU2tR+tBGlDwMEw2avJ7QM4ikPYD/PJ3bd9Og="}}),
       1'700'000'000, "https://example.com/webhook"},
      {"twilio", "12345",
       post(form,
            {{"X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
             {"Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"}},
            "/webhooks/t?foo=1&bar=2"),
       1'700'000'000, "https://mycompany.com/myapp.php"},
      {"svix", std::string(kSvixSecret),
       post(std::string(kSvixBody),
            {{"svix-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
             {"svix-timestamp", "1614265330"},
             {"svix-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}}),
       1614265330},
      {"svix", "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
       post(std::string(kSvixBody), {{"svix-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
                                     {"svix-timestamp", "1614265330"},
                                     {"svix-signature",
                                      "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/"
                                      "enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="}}),
       1614265330},
      {"standard-webhooks", std::string(kSvixSecret),
       post(std::string(kSvixBody),
            {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
             {"webhook-timestamp", "1614265330"},
             {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}}),
       1614265330},
  };
}

std::vector<Good> made() {
  const std::string body = R"({"webhookTimestamp":1700000000000,"type":"x"})";
  const std::string time = "1700000000";
  const std::string text = time + body;
  return {
      {"gitlab", "a token", post(body, {{"X-Gitlab-Token", "a token"}})},
      {"gitlab-signing", std::string(kSvixSecret),
       post(std::string(kSvixBody),
            {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
             {"webhook-timestamp", "1614265330"},
             {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}}),
       1614265330},
      {"gitea", "s", post(body, {{"X-Gitea-Signature", signed_as("gitea", "s", body)}})},
      {"stripe", "whsec_test",
       post(body, {{"Stripe-Signature",
                    "t=" + time + ",v1=" + signed_as("stripe", "whsec_test", time + "." + body) +
                        ",v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"}})},
      {"shopify", "hush",
       post(body, {{"X-Shopify-Hmac-Sha256", signed_as("shopify", "hush", body)}})},
      {"linear", "lin", post(body, {{"Linear-Signature", signed_as("linear", "lin", body)}})},
      {"zoom", "zs",
       post(body, {{"x-zm-signature", "v0=" + signed_as("zoom", "zs", "v0:" + time + ":" + body)},
                   {"x-zm-request-timestamp", time}})},
      {"meta", "app",
       post(body, {{"X-Hub-Signature-256", "sha256=" + signed_as("meta", "app", body)}})},
      {"discord", discord_key(),
       post(body,
            {{"X-Signature-Ed25519", discord_signature(text)}, {"X-Signature-Timestamp", time}})},
      {"cloudevents", "tok", post(body, {{"Authorization", "Bearer tok"}})},
      {"basic", "user:pass word", post(body, {{"Authorization", "Basic dXNlcjpwYXNzIHdvcmQ="}})},
      {"api-key", "key", post(body, {{"X-Api-Key", "key"}})},
      {"hmac",
       "g",
       post(body, {{"X-Sig", signed_as("hmac", "g", "n1." + time + "." + body)},
                   {"X-Time", time},
                   {"X-Id", "n1"}}),
       1'700'000'000,
       "",
       {.header = "X-Sig",
        .signed_text = "{id}.{timestamp}.{body}",
        .timestamp = "header:X-Time",
        .id = "header:X-Id"}},
  };
}

std::vector<Good> all_good() {
  auto all = documented();
  for (auto& good : made()) all.push_back(std::move(good));
  return all;
}

std::string name_of_signature(const Good& good) {
  return scheme_of({.provider = good.provider, .settings = good.settings})->header;
}

std::string& signature_in(Good& good) {
  const std::string name = name_of_signature(good);
  for (auto& header : good.request.headers) {
    if (header.name == name) return header.value;
  }
  ADD_FAILURE() << name;
  return good.request.headers.front().value;
}

bool is_token(const Good& good) {
  const auto method = find_provider(good.provider)->scheme.method;
  return method == Method::token || method == Method::basic;
}

TEST(Providers, VectorsOfTheirDocumentationVerify) {
  for (const auto& good : documented()) EXPECT_EQ(outcome_of(good), "ok") << good.provider;
}

TEST(Providers, EveryProviderWithSecretsHasAGoodRequestHere) {
  std::map<std::string, int> seen;
  for (const auto& good : all_good()) {
    EXPECT_EQ(outcome_of(good), "ok") << good.provider;
    ++seen[good.provider];
  }
  for (const auto& provider : providers()) {
    if (provider.origin == Origin::none) continue;
    EXPECT_EQ(seen.count(std::string(provider.name)), 1U) << provider.name;
  }
}

TEST(Providers, AnyBitOfASignedBodyOrSignatureCounts) {
  int tried = 0;
  for (const auto& good : all_good()) {
    for (std::size_t i = 0; i < good.request.body.size() * 8 && !is_token(good); i += 3) {
      Good bad = good;
      bad.request.body[i / 8] = static_cast<char>(bad.request.body[i / 8] ^ (1 << (i % 8)));
      // Twilio signs what a form says, not how: "%2b" is "%2B".
      if (good.provider == "twilio" &&
          sorted_form(bad.request.body) == sorted_form(good.request.body)) {
        continue;
      }
      EXPECT_NE(outcome_of(bad), "ok") << good.provider << " body bit " << i;
      ++tried;
    }
    Good copy = good;
    const std::size_t bits = signature_in(copy).size() * 8;
    for (std::size_t i = 0; i < bits; ++i) {
      Good bad = good;
      auto& text = signature_in(bad);
      // Names of schemes and of items that do not count may change; what is left must not verify.
      const bool is_unread = good.provider == "stripe" && i / 8 >= text.find(",v0=");
      const bool is_scheme_name = is_token(good) && i / 8 < 6 && text.find(' ') <= 6;
      if (is_unread || is_scheme_name) continue;
      text[i / 8] = static_cast<char>(text[i / 8] ^ (1 << (i % 8)));
      EXPECT_NE(outcome_of(bad), "ok") << good.provider << " signature bit " << i;
      ++tried;
    }
  }
  std::printf("%d flipped bits refused\n", tried);
}

TEST(Providers, WrongMissingAndDoubledAreNamed) {
  for (const auto& good : all_good()) {
    Good wrong = good;
    if (good.provider == "discord") {
      wrong.secret = std::string(64, '0');
    } else if (good.secret.starts_with("whpk_")) {
      wrong.secret = "whpk_AAAAo9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=AA";
      continue;
    } else if (good.secret.starts_with("whsec_Mf")) {
      wrong.secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    } else {
      wrong.secret += "x";
    }
    EXPECT_EQ(outcome_of(wrong), "no_match") << good.provider;
    EXPECT_EQ(outcome_of(wrong, {good.secret}), "ok") << good.provider;
    Good missing = good;
    model::remove_header(missing.request.headers, name_of_signature(good));
    EXPECT_EQ(outcome_of(missing), "missing_signature") << good.provider;
    for (const auto& header : good.request.headers) {
      if (header.name == "Content-Type") continue;
      Good doubled = good;
      doubled.request.headers.push_back(header);
      EXPECT_EQ(outcome_of(doubled), "doubled_header") << good.provider << header.name;
    }
    Good none = good;
    none.secret.clear();
    EXPECT_EQ(outcome_of(none), "no_secret");
  }
}

TEST(Providers, HeaderNamesMayBeInAnyCase) {
  for (auto good : all_good()) {
    for (auto& header : good.request.headers) {
      for (auto& c : header.name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    }
    EXPECT_EQ(outcome_of(good), "ok") << good.provider;
  }
}

TEST(Providers, TimesBeyondTheToleranceAreRefusedEitherWay) {
  int bound = 0;
  for (auto good : all_good()) {
    const std::int64_t now = good.now_s;
    good.now_s = now + 300;
    EXPECT_EQ(outcome_of(good), "ok") << good.provider;
    good.now_s = now - 300;
    EXPECT_EQ(outcome_of(good), "ok") << good.provider;
    const bool has_time = !find_provider(good.provider)->scheme.timestamp.empty() ||
                          good.settings.timestamp.has_value();
    good.now_s = now + 301;
    EXPECT_EQ(outcome_of(good), has_time ? "too_old" : "ok") << good.provider;
    good.now_s = now - 301;
    EXPECT_EQ(outcome_of(good), has_time ? "too_new" : "ok") << good.provider;
    bound += has_time ? 1 : 0;
  }
  EXPECT_EQ(bound, 10);
}

TEST(Providers, TwilioSignsJsonByItsHashInTheUrl) {
  const std::string body = R"({"property": "value", "boolean": true})";
  const std::string hash = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
  const std::string url = "https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=" + hash;
  const auto with = [&](const std::string& signed_url) {
    return Good{"twilio", "12345",
                post(body,
                     {{"X-Twilio-Signature", signed_as("twilio", "12345", signed_url)},
                      {"Content-Type", "application/json"}},
                     "/webhooks/t?foo=1&bar=2&bodySHA256=" + hash),
                1'700'000'000, "https://mycompany.com/myapp.php"};
  };
  Good good = with(url);
  EXPECT_EQ(signature_in(good), "a9nBmqA0ju/hNViExpshrM61xv4=");
  EXPECT_EQ(outcome_of(good), "ok");
  EXPECT_EQ(outcome_of(with("https://mycompany.com:443/myapp.php" + url.substr(31))), "ok");
  good.request.body += " ";
  EXPECT_EQ(outcome_of(good), "no_match");
  // A hash that is not in the signed URL says nothing about the body.
  Good aside = with("https://mycompany.com/myapp.php?a=1");
  aside.public_url = "https://mycompany.com/myapp.php?a=1";
  EXPECT_EQ(outcome_of(aside), "no_match");
}

TEST(Providers, SettingsThatProtectNothingAreRefused) {
  const auto mistake = [](model::Inbound inbound) {
    const auto scheme = scheme_of(inbound);
    return scheme ? std::string("none") : scheme.error().context;
  };
  EXPECT_TRUE(mistake({.provider = "githab"}).starts_with("provider: "));
  EXPECT_TRUE(mistake({.provider = "hmac"}).starts_with("verify.header: "));
  const auto hmac = [&](model::VerifySettings settings) {
    settings.header = "X-S";
    return mistake({.provider = "hmac", .settings = settings});
  };
  EXPECT_EQ(hmac({}), "none");
  EXPECT_TRUE(hmac({.signed_text = "{timestamp}"}).starts_with("verify.signed: "));
  EXPECT_TRUE(hmac({.signed_text = "{timestamp}.{body}"}).starts_with("verify.timestamp: "));
  EXPECT_TRUE(hmac({.timestamp = "header:X-T"}).starts_with("verify.signed: "));
  EXPECT_TRUE(hmac({.signed_text = "{body}{body}"}).starts_with("verify.signed: "));
  EXPECT_TRUE(hmac({.signed_text = "{body"}).starts_with("verify.signed: "));
  EXPECT_TRUE(hmac({.algorithm = "md5"}).starts_with("verify.algorithm: "));
  EXPECT_TRUE(hmac({.encoding = "rot13"}).starts_with("verify.encoding: "));
  model::VerifySettings token;
  token.signed_text = "{body}";
  EXPECT_TRUE(mistake({.provider = "api-key", .settings = token}).starts_with("verify.signed: "));
  EXPECT_TRUE(mistake({.provider = "", .settings = token}).starts_with("verify: "));
}

TEST(Providers, MadeSecretsFitTheirProviders) {
  SeededRandom random(1);
  for (const auto& provider : providers()) {
    if (provider.origin != Origin::ours) continue;
    const auto secret = make_inbound_secret(provider.form, random);
    EXPECT_TRUE(check_secret(provider.scheme, secret.reveal())) << provider.name;
    EXPECT_GE(secret.reveal().size(), 43U);
  }
}

TEST(Providers, WhatCarriesCredentialsIsSecret) {
  model::Source source;
  source.inbound.provider = "api-key";
  source.inbound.settings.header = "X-Door";
  ASSERT_TRUE(settle(source));
  EXPECT_TRUE(model::is_secret_header(source, "x-door"));
  source.inbound = {.provider = "cloudevents"};
  ASSERT_TRUE(settle(source));
  EXPECT_FALSE(model::is_secret_header(source, "x-door"));
  EXPECT_EQ(source.inbound.secret_query, std::vector<std::string>{"access_token"});
}

}  // namespace
}  // namespace grapnel::signature
