#include "surface/api/action_secrets.h"

#include <fmt/format.h>

#include "pipeline/keyring.h"
#include "surface/api/rig.h"

namespace grapnel::api {
namespace {

constexpr const char* kAction = "/api/sources/a/actions/x";
constexpr const char* kRotate = "/api/sources/a/actions/x/rotate-secret";

class Secrets : public ApiRig {
 protected:
  Secrets() { make_source("a"); }

  boost::json::value make(std::string_view more) {
    return make_action("a", fmt::format(R"({{"name":"x","target_url":"http://t/"{}}})", more));
  }
  /// The headers of a delivery signed now.
  model::HeaderList sign() {
    pipeline::Keyring keyring(box_);
    const auto signer = keyring.of(*action("a", "x"));
    const Time now = store_.clock().now();
    return *(*signer)->sign("evt_X", {now, now}, "body", action("a", "x")->schemes);
  }
};

TEST_F(Secrets, NoAnswerAfterTheFirstAndNoLogLineShowsAnySecret) {
  const auto given = make(R"(,"signing_secret":"hunter2-plain")");
  std::vector<std::string> secrets{"hunter2-plain",
                                   std::string(given.at("signing_secret_whsec").as_string())};
  const auto rotated = expect(200, admin("POST", kRotate, R"({"signing_secret":"second-secret"})"));
  secrets.emplace_back("second-secret");
  secrets.emplace_back(rotated.at("signing_secret_whsec").as_string());
  secrets.push_back(make_key("read"));
  secrets.push_back(admin_key_);
  secrets.push_back(action("a", "x")->secrets[0].sealed);
  expect(200, admin("PATCH", kAction,
                    R"({"headers":{"Authorization":"Bearer endpoint-token"},"timeout":"9s"})"));
  secrets.emplace_back("endpoint-token");
  const std::string event = post_event("a");
  const auto delivery = delivery_of(event);
  settle(delivery, model::Settlement::Kind::dead, model::EndReason::final_failure, 500);

  std::string seen;
  for (const Route& route : api_routes()) {
    if (route.method != "GET") continue;
    std::string target(route.pattern);
    const auto put = [&target](std::string_view name, std::string_view value) {
      if (const auto at = target.find(name); at != std::string::npos)
        target.replace(at, name.size(), value);
    };
    put("{source}", "a");
    put("{action}", "x");
    put("{event}", event);
    put("{delivery}", delivery.id.str());
    put("{job}", "job_0");
    const auto answer = admin("GET", target);
    const bool is_absent = route.pattern.find("{job}") != std::string_view::npos ||
                           route.pattern.find("{refused}") != std::string_view::npos ||
                           route.pattern.find("{version}") != std::string_view::npos;
    EXPECT_TRUE(answer.status == 200 || is_absent) << target;
    seen += answer.body;
  }
  // Refusals are answers too.
  seen += admin("PATCH", kAction, R"({"signing_secret":"hunter2-plain","typo":1})").body;
  seen += admin("PATCH", kAction, R"({"signing_secret":{"hunter2-plain":1}})").body;
  seen += admin("PATCH", kAction, R"({"signing_secret":"hunter2-plain"x)").body;
  seen += admin("POST", kRotate, R"({"signing_secret":"whsec_hunter2-plain"})").body;
  seen += end_and_read_log();
  for (const auto& secret : secrets) EXPECT_EQ(seen.find(secret), std::string::npos) << secret;
}

TEST_F(Secrets, OneIsGeneratedAndShownOnce) {
  const auto made = make("");
  EXPECT_TRUE(made.at("signing_secret").as_string().starts_with("whsec_"));
  EXPECT_EQ(made.as_object().if_contains("signing_secret_whsec"), nullptr);
  EXPECT_EQ(action("a", "x")->schemes, model::kSchemeV1);
  EXPECT_EQ(expect(200, admin("GET", kAction)).as_object().if_contains("signing_secret"), nullptr);
}

TEST_F(Secrets, PlainTextSignsBothWaysAndIsShownAsWhsec) {
  const auto made = make(R"(,"signing_secret":"plain")");
  EXPECT_EQ(action("a", "x")->schemes, model::kSchemeV1 | model::kSchemeSha256);
  EXPECT_EQ(made.at("signing_secret_whsec"), "whsec_cGxhaW4=");
}

TEST_F(Secrets, KeyPairsAreMadeWhenOnlyV1aIsAskedAndTheirPublicHalfStays) {
  const auto made = make(R"(,"signature_schemes":["v1a"])");
  EXPECT_TRUE(made.at("signing_secret").as_string().starts_with("whsk_"));
  const auto shown = expect(200, admin("GET", kAction));
  EXPECT_EQ(shown.at("signing_public_key"), made.at("signing_public_key"));
  EXPECT_TRUE(shown.at("signing_public_key").as_string().starts_with("whpk_"));
}

TEST_F(Secrets, SchemesThatTheSecretCannotServeAreRefused) {
  const auto refused = [this](std::string_view more) {
    return admin("POST", "/api/sources/a/actions",
                 fmt::format(R"({{"target_url":"http://t/"{}}})", more))
        .status;
  };
  EXPECT_EQ(refused(R"(,"signature_schemes":["v1","v1a"])"), 400);
  EXPECT_EQ(refused(R"(,"signature_schemes":["v1a"],"signing_secret":"plain")"), 400);
  EXPECT_EQ(refused(R"(,"signing_secret":"whsec_!")"), 400);
  EXPECT_EQ(refused(R"(,"signing_secret":"whpk_AAAA")"), 400);
  make("");
  EXPECT_EQ(admin("PATCH", kAction, R"({"signature_schemes":["v1a"]})").status, 400);
}

TEST_F(Secrets, RotationSignsWithBothUntilTheOldOneExpires) {
  make("");
  clock_.advance(Millis{1000});
  expect(200, admin("POST", kRotate, R"({"overlap":"2h"})"));
  const auto& secrets = action("a", "x")->secrets;
  ASSERT_EQ(secrets.size(), 2u);
  EXPECT_EQ(secrets[1].expires, store_.clock().now() + Millis{2 * 3'600'000});
  EXPECT_EQ(secrets[0].primary_from, secrets[1].expires);
  EXPECT_FALSE(secrets[0].expires);
  const auto entries = [this] {
    return std::ranges::count(std::string(*model::find_header(sign(), "webhook-signature")), ',');
  };
  EXPECT_EQ(entries(), 2);
  clock_.advance(Millis{2 * 3'600'000});
  EXPECT_EQ(entries(), 1);
}

TEST_F(Secrets, RotationToTheSecretThatIsNewestAlreadyChangesNothing) {
  make("");
  const std::string_view body = R"({"signing_secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})";
  expect(200, admin("POST", kRotate, std::string(body)));
  const auto before = action("a", "x")->secrets;
  expect(200, admin("POST", kRotate, std::string(body)));
  EXPECT_EQ(action("a", "x")->secrets, before);
}

TEST_F(Secrets, RotationsBeyondTheBoundAreRefusedUntilOneExpires) {
  make("");
  for (int i = 0; i < 4; ++i) expect(200, admin("POST", kRotate));
  EXPECT_EQ(admin("POST", kRotate).status, 409);
  clock_.advance(Millis{25 * 3'600'000});
  expect(200, admin("POST", kRotate));
  EXPECT_EQ(action("a", "x")->secrets.size(), 2u);
}

TEST_F(Secrets, OverlapIsBoundedAndZeroEndsTheOldOneAtOnce) {
  make("");
  EXPECT_EQ(admin("POST", kRotate, R"({"overlap":"8d"})").status, 400);
  EXPECT_EQ(admin("POST", kRotate, R"({"overlop":"1h"})").status, 400);
  expect(200, admin("POST", kRotate, R"({"overlap":"0s"})"));
  EXPECT_EQ(action("a", "x")->secrets.size(), 1u);
}

TEST_F(Secrets, PatchReplacesTheSecretUnlessItIsTheSame) {
  make(R"(,"signing_secret":"one")");
  const auto before = action("a", "x");
  expect(200, admin("PATCH", kAction, R"({"signing_secret":"one"})"));
  EXPECT_EQ(action("a", "x")->revision, before->revision);
  expect(200, admin("PATCH", kAction, R"({"signing_secret":"two"})"));
  EXPECT_GT(action("a", "x")->revision, before->revision);
  EXPECT_EQ(action("a", "x")->secrets.size(), 1u);
}

TEST_F(Secrets, ASealedSecretOpensInItsOwnActionOnly) {
  make("");
  const auto x = action("a", "x");
  EXPECT_TRUE(box_.open(x->secrets[0].sealed, x->id.str()));
  EXPECT_FALSE(box_.open(x->secrets[0].sealed, "act_other"));
}

}  // namespace
}  // namespace grapnel::api
