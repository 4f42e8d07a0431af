#include "model/action_json.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "model/errors.h"

namespace grapnel::model {
namespace {

std::string mistakes_of(std::string_view json) {
  const auto patch = parse_action_patch(boost::json::parse(json));
  return patch ? "" : patch.error().context;
}

ActionPatch patch_of(std::string_view json) {
  auto patch = parse_action_patch(boost::json::parse(json));
  EXPECT_TRUE(patch) << patch.error().context;
  return patch ? *patch : ActionPatch{};
}

Action made_from(std::string_view json) {
  Action action;
  action.target_url = "https://example.com/";
  EXPECT_TRUE(apply(patch_of(json), action));
  return action;
}

TEST(ActionPatch, WrongFieldsAreNamedOneALine) {
  EXPECT_EQ(
      mistakes_of(
          R"({"type":"smtp","target_url":"example.com","timeout":"31s","max_in_flight":0})"),
      "type: expected one of webhook, javascript, given \"smtp\"\n"
      "target_url: expected a URL such as https://example.com/hook\n"
      "timeout: expected a duration from 1s to 30s such as \"15s\" or \"1h30m\", given \"31s\"\n"
      "max_in_flight: expected a whole number from 1 to 1024, given 0");
  EXPECT_EQ(mistakes_of(R"({"is_activ":true})"),
            "unknown field 'is_activ' (did you mean 'is_active'?)");
  EXPECT_EQ(mistakes_of(R"({"state":"paused","is_active":false})"),
            "is_active: contradicts state paused");
  EXPECT_NE(mistakes_of(R"({"signature_schemes":["v3"]})").find("expected v1, v1a or sha256"),
            std::string::npos);
  EXPECT_NE(mistakes_of(R"({"signature_schemes":[]})").find("at least one"), std::string::npos);
  EXPECT_NE(mistakes_of(R"({"forward_headers":"some"})").find("forward_headers: expected \"all\""),
            std::string::npos);
  EXPECT_NE(mistakes_of(R"({"forward_headers":["a b"]})").find("forward_headers[0]"),
            std::string::npos);
  EXPECT_NE(mistakes_of(R"({"ca_bundle":"hello"})").find("ca_bundle: expected PEM"),
            std::string::npos);
  EXPECT_NE(mistakes_of(R"({"event_types":[""]})").find("event_types[0]"), std::string::npos);
  EXPECT_NE(mistakes_of(R"({"on_dead":"stop"})").find("on_dead: expected one of continue, block"),
            std::string::npos);
  EXPECT_NE(mistakes_of(R"({"health":{}})").find("health: is set by Grapnel"), std::string::npos);
}

TEST(ActionPatch, SecretsAreNotRepeatedInMistakes) {
  EXPECT_EQ(mistakes_of(R"({"signing_secret":777888999})").find("777888999"), std::string::npos);
  EXPECT_EQ(mistakes_of(R"({"headers":{"Authorization":777888999}})").find("777888999"),
            std::string::npos);
  EXPECT_EQ(mistakes_of(R"({"target_url":"https://u:s3cr3t@example.com/"})").find("s3cr3t"),
            std::string::npos);
  EXPECT_NE(mistakes_of(R"({"target_url":"https://u:s3cr3t@example.com/"})"), "");
  EXPECT_NE(mistakes_of(R"({"signing_secret":""})"), "");
}

TEST(ActionPatch, HeadersThatWouldBreakTheConnectionAreRefused) {
  EXPECT_NE(mistakes_of(R"({"headers":{"Host":"x"}})"), "");
  EXPECT_NE(mistakes_of(R"({"headers":{"content-length":"1"}})"), "");
  EXPECT_NE(mistakes_of(R"({"headers":{"Transfer-Encoding":"chunked"}})"), "");
  EXPECT_NE(mistakes_of(R"({"headers":{"X":"a\r\nY: b"}})"), "");
  EXPECT_NE(mistakes_of(R"({"headers":[{"name":"X"}]})"), "");
  EXPECT_NE(mistakes_of(R"({"headers":[{"name":"X","value":"1","extra":2}]})"), "");
  EXPECT_NE(mistakes_of(R"({"headers":"X: 1"})"), "");
  std::string many = R"({"headers":[)";
  for (int i = 0; i < 51; ++i) many += std::string(i ? "," : "") + R"({"name":"X","value":"1"})";
  EXPECT_NE(mistakes_of(many + "]}"), "");
  std::string fat = R"({"headers":[)";
  for (int i = 0; i < 5; ++i)
    fat += std::string(i ? "," : "") + R"({"name":"X","value":")" + std::string(8'000, 'a') + "\"}";
  EXPECT_NE(mistakes_of(fat + "]}").find("bytes in all"), std::string::npos);
}

TEST(ActionPatch, RetryIsAScheduleOrARuleNeverBoth) {
  EXPECT_NE(mistakes_of(R"({"retry":{"schedule":["5s"],"base":"1s"}})").find("not both"),
            std::string::npos);
  EXPECT_NE(mistakes_of(R"({"retry":{"schedule":[]}})").find("retry.schedule"), std::string::npos);
  EXPECT_NE(mistakes_of(R"({"retry":{"schedule":["25h"]}})").find("retry.schedule[0]"),
            std::string::npos);
  EXPECT_NE(mistakes_of(R"({"retry":{"schedule":["0s"]}})").find("retry.schedule[0]"),
            std::string::npos);
  EXPECT_NE(mistakes_of(R"({"retry":{"factor":2}})").find("required"), std::string::npos);
  EXPECT_NE(
      mistakes_of(R"({"retry":{"base":"10s","cap":"5s","max_attempts":3}})").find("retry.cap"),
      std::string::npos);
  EXPECT_NE(mistakes_of(R"({"retry":{"base":"1s","max_attempts":100}})").find("retry.max_attempts"),
            std::string::npos);
  EXPECT_NE(mistakes_of(R"({"retry":{"police":"any"}})").find("did you mean 'policy'?"),
            std::string::npos);
}

TEST(ActionPatch, BothRetryFormsAreReadAndShown) {
  const Action listed = made_from(R"({"retry":{"schedule":["5s","5m"],"policy":"transient"}})");
  EXPECT_EQ(listed.retry.schedule, (std::vector<Millis>{Millis{5'000}, Millis{300'000}}));
  EXPECT_EQ(listed.retry.policy, RetryOn::transient);
  EXPECT_EQ(boost::json::serialize(to_json(listed.retry)),
            R"({"schedule":["5s","5m"],"policy":"transient"})");
  const Action rule =
      made_from(R"({"retry":{"base":"5s","factor":3,"cap":"1h","max_attempts":6}})");
  EXPECT_TRUE(rule.retry.schedule.empty());
  EXPECT_EQ(rule.retry.tries(), 6);
  const boost::json::object again{{"retry", to_json(rule.retry)}};
  EXPECT_EQ(made_from(boost::json::serialize(again)).retry, rule.retry);
  const Action plain = made_from(R"({"retry":{"policy":"transient"}})");
  EXPECT_EQ(plain.retry.schedule, default_retry_policy().schedule);
}

TEST(ActionPatch, IsActiveFalseDisablesAndTrueLeavesPausedAlone) {
  Action action;
  action.target_url = "https://example.com/";
  ASSERT_TRUE(apply(patch_of(R"({"is_active":false})"), action));
  EXPECT_EQ(action.desired, DesiredState::disabled);
  ASSERT_TRUE(apply(patch_of(R"({"is_active":true})"), action));
  EXPECT_EQ(action.desired, DesiredState::active);
  ASSERT_TRUE(apply(patch_of(R"({"state":"paused"})"), action));
  ASSERT_TRUE(apply(patch_of(R"({"is_active":true})"), action));
  EXPECT_EQ(action.desired, DesiredState::paused);
}

TEST(ActionPatch, AWebhookNeedsATarget) {
  Action action;
  const auto made = apply(ActionPatch{}, action);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().context, "target_url: is required for webhook actions");
}

TEST(ActionPatch, NameDefaultsToTheId) {
  const Action action = made_from("{}");
  EXPECT_EQ(action.name, action.id.str());
}

TEST(ActionPatch, SchemesFollowTheFormOfTheFirstSecretUnlessGiven) {
  EXPECT_EQ(made_from(R"({"signing_secret":"whsec_abcd"})").schemes, kSchemeV1);
  EXPECT_EQ(made_from(R"({"signing_secret":"plain text"})").schemes, kSchemeV1 | kSchemeSha256);
  EXPECT_EQ(made_from(R"({"signing_secret":"whsk_abcd"})").schemes, kSchemeV1a);
  EXPECT_EQ(made_from(R"({"signing_secret":"plain","signature_schemes":["sha256"]})").schemes,
            kSchemeSha256);
  Action rotated;
  rotated.target_url = "https://example.com/";
  rotated.secrets.push_back({.sealed = "x"});
  ASSERT_TRUE(apply(patch_of(R"({"signing_secret":"plain"})"), rotated));
  EXPECT_EQ(rotated.schemes, kSchemeV1);
}

TEST(ActionJson, NeverShowsASecret) {
  Action action = made_from(
      R"({"headers":{"Authorization":"Bearer hunter2","X-Api-Key":"hunter3","X-Team":"a",
          "X-Tenant":"hunter4"},
          "secret_headers":["x-tenant"]})");
  action.secrets.push_back({.sealed = "sealed-bytes", .created = Time{}});
  const std::string text = boost::json::serialize(to_json(action));
  EXPECT_EQ(text.find("hunter"), std::string::npos);
  EXPECT_EQ(text.find("sealed"), std::string::npos);
  EXPECT_NE(text.find("Bearer … (cut)"), std::string::npos);
  EXPECT_NE(text.find("\"X-Team\":\"a\""), std::string::npos);
  EXPECT_NE(text.find("\"signing_secrets\":[{\"created_at\""), std::string::npos);
}

TEST(ActionJson, OnlyTheSchemeOfAnAuthorizationIsShownOfASecretHeader) {
  EXPECT_EQ(cut_header_value({"authorization", "Bearer abc"}), "Bearer … (cut)");
  for (const Header& header :
       {Header{"X-Api-Key", "sk_live_abc "}, Header{"X-Secret", "alpha beta"},
        Header{"Authorization", "sk_live_abc"}, Header{"Authorization", "sk_live_abc  "}}) {
    EXPECT_EQ(cut_header_value(header), "… (cut)") << header.value;
  }
}

TEST(ActionJson, CutHeadersGivenBackAreRefused) {
  const auto shown = to_json(made_from(R"({"headers":{"Authorization":"Bearer hunter2"}})"));
  const boost::json::value again{{"headers", shown.at("headers")}};
  const auto patch = parse_action_patch(again);
  ASSERT_FALSE(patch);
  EXPECT_NE(patch.error().context.find("cut form"), std::string::npos);
}

TEST(ActionJson, RepeatedHeadersAreAList) {
  const Action action =
      made_from(R"({"headers":[{"name":"X","value":"1"},{"name":"X","value":"2"}]})");
  EXPECT_TRUE(to_json(action).at("headers").is_array());
  EXPECT_TRUE(
      to_json(made_from(R"({"headers":[{"name":"X","value":"1"}]})")).at("headers").is_object());
}

TEST(ActionJson, ShowsTheFieldsThatUsersKnow) {
  const auto json =
      to_json(made_from(R"({"forward_headers":["X-A"],"on_full":"refuse","max_in_flight":4,
      "event_types":["push"],"signature_schemes":["v1","sha256"],"timeout":"20s"})"));
  EXPECT_EQ(json.at("type"), "webhook");
  EXPECT_EQ(json.at("is_active"), true);
  EXPECT_EQ(json.at("state"), "active");
  EXPECT_EQ(json.at("timeout"), "20s");
  EXPECT_EQ(json.at("health").at("status"), "ok");
  EXPECT_EQ(boost::json::serialize(json.at("signature_schemes")), R"(["v1","sha256"])");
  EXPECT_EQ(boost::json::serialize(json.at("forward_headers")), R"(["X-A"])");
  EXPECT_EQ(boost::json::serialize(json.at("backlog")),
            R"({"count":10000000,"bytes":21474836480})");
}

TEST(ActionJson, WhatIsShownIsUnderstoodWhenGivenBackWithoutReadOnlyFields) {
  auto json = to_json(made_from(R"({"headers":{"X":"1"}})"));
  for (const auto* name : {"id", "source_id", "health", "signing_secrets", "script_version",
                           "managed_by", "revision", "created_at", "updated_at"}) {
    json.erase(name);
  }
  json["name"] = "n";
  const auto patch = parse_action_patch(json);
  ASSERT_TRUE(patch) << patch.error().context;
}

}  // namespace
}  // namespace grapnel::model
