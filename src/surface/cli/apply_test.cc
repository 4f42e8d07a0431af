#include "surface/cli/apply.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "model/definition_json.h"
#include "surface/cli/scripted_terminal.h"

namespace grapnel::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kManifest = R"(
sources:
  - slug: demo
    name: Demo
    actions:
      - name: echo
        target_url: http://127.0.0.1:9999/
        timeout: 20s
        signing_secret: {env: DEMO_SECRET}
)";

class ApplyTest : public testing::Test {
 protected:
  ApplyTest() {
    std::filesystem::create_directories(folder_);
    terminal_.variables["DEMO_SECRET"] = "whsec_c2VjcmV0LW9mLWRlbW8=";
    source_.slug = "demo";
    source_.name = "Demo";
    source_.managed_by = model::ManagedBy::apply;
    action_.name = "echo";
    action_.target_url = "http://127.0.0.1:9999/";
    action_.timeout = Millis{20'000};
    action_.managed_by = model::ManagedBy::apply;
  }
  ~ApplyTest() override { std::filesystem::remove_all(folder_); }

  int apply(std::string_view manifest, std::vector<std::string> more = {}) {
    std::ofstream(folder_ + "/m.yaml") << manifest;
    std::vector<std::string> arguments{"apply", "-f", folder_ + "/m.yaml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return terminal_.run(std::move(arguments));
  }
  /// The server has the source and the action.
  void have(std::string_view more_actions = "", std::string_view more_sources = "") {
    terminal_.answer(
        "GET /api/sources?limit=200", 200,
        fmt::format("[{}{}]", boost::json::serialize(model::to_json(source_)), more_sources));
    terminal_.answer(
        "GET /api/sources/demo/actions?limit=200", 200,
        fmt::format("[{}{}]", boost::json::serialize(model::to_json(action_)), more_actions));
  }
  void have_nothing() { terminal_.answer("GET /api/sources?limit=200", 200, "[]"); }
  std::vector<std::string> changes() const {
    std::vector<std::string> out;
    for (const auto& request : terminal_.requests) {
      if (request.method != "GET") out.push_back(request.line());
    }
    return out;
  }
  std::string body_of(std::string_view line) const {
    for (const auto& request : terminal_.requests) {
      if (request.line() == line) return request.body;
    }
    return "";
  }
  std::string error() const {
    std::string out = terminal_.err;
    for (auto at = out.find(folder_); at != std::string::npos; at = out.find(folder_)) {
      out.erase(at, folder_.size() + 1);
    }
    return out;
  }

  std::string folder_ = testing::TempDir() + "grapnel_apply_" + std::to_string(getpid());
  ScriptedTerminal terminal_;
  model::Source source_;
  model::Action action_;
};

TEST_F(ApplyTest, NothingIsAskedOfTheServerWhileAFileIsWrong) {
  EXPECT_EQ(apply(R"(
sources:
  - slug: Demo!
    moode: active
    actions:
      - name: a
        target_url: ftp://x/
        timeout: 1h
      - name: a
        target_url: http://x/
      - target_url: http://x/
  - name: no slug
)"),
            2);
  EXPECT_THAT(terminal_.requests, IsEmpty());
  EXPECT_THAT(error(), HasSubstr("grapnel: m.yaml:3: sources[0].slug: expected"));
  EXPECT_THAT(error(), HasSubstr("grapnel: m.yaml:4: sources[0]: unknown field 'moode'"));
  EXPECT_THAT(error(), HasSubstr("grapnel: m.yaml:7: sources[0].actions[0].target_url: "));
  EXPECT_THAT(error(), HasSubstr("grapnel: m.yaml:8: sources[0].actions[0].timeout: "));
  EXPECT_THAT(error(), HasSubstr("grapnel: m.yaml:11: sources[0].actions[2]: expected name"));
  EXPECT_THAT(error(), HasSubstr("grapnel: m.yaml:12: sources[1]: expected slug"));
}

TEST_F(ApplyTest, SameSlugOrNameTwiceIsRefused) {
  EXPECT_EQ(
      apply("sources:\n- slug: a\n- slug: b\n  actions:\n  - {name: x, target_url: 'http://x/'}\n"
            "  - {name: x, target_url: 'http://x/'}\n---\nsources:\n- slug: a\n"),
      2);
  EXPECT_THAT(error(),
              HasSubstr("m.yaml:6: sources[1].actions[1].name: 'x' stands in this source"));
  EXPECT_THAT(error(), HasSubstr("m.yaml:9: sources[0].slug: 'a' stands at"));
}

TEST_F(ApplyTest, OtherFormsAreRefused) {
  EXPECT_EQ(apply("kind: Source\n"), 2);
  EXPECT_THAT(error(), HasSubstr("m.yaml:1: expected a list 'sources:'"));
  EXPECT_EQ(apply("sources: []\nactions: []\n"), 2);
  EXPECT_THAT(error(), HasSubstr("m.yaml:2: actions: unknown field"));
}

TEST_F(ApplyTest, MissingSecretIsNamedBeforeAnythingHappens) {
  terminal_.variables.erase("DEMO_SECRET");
  EXPECT_EQ(apply(kManifest), 2);
  EXPECT_THAT(error(), HasSubstr("m.yaml:9: sources[0].actions[0].signing_secret: the environment "
                                 "variable 'DEMO_SECRET' is not set"));
  EXPECT_THAT(terminal_.requests, IsEmpty());
}

TEST_F(ApplyTest, NewSourceAndActionAreCreatedInOrder) {
  have_nothing();
  terminal_.answer("POST /api/sources", 201, "{}");
  terminal_.answer("POST /api/sources/demo/actions", 201, R"({"signing_secret":"whsec_shown"})");
  EXPECT_EQ(apply(kManifest), 0) << terminal_.err;
  EXPECT_THAT(changes(), ElementsAre("POST /api/sources", "POST /api/sources/demo/actions"));
  EXPECT_EQ(body_of("POST /api/sources"), R"({"name":"Demo","slug":"demo"})");
  EXPECT_EQ(body_of("POST /api/sources/demo/actions"),
            R"({"target_url":"http://127.0.0.1:9999/","timeout":"20s","name":"echo",)"
            R"("signing_secret":"whsec_c2VjcmV0LW9mLWRlbW8="})");
  EXPECT_EQ(model::find_header(terminal_.requests.back().headers, "X-Grapnel-Managed-By"), "apply");
  EXPECT_EQ(terminal_.out,
            "source/demo created\naction/demo/echo created\n"
            "2 created, 0 changed, 0 deleted, 0 unchanged\n");
  EXPECT_THAT(terminal_.out + terminal_.err, Not(HasSubstr("whsec_")));
}

TEST_F(ApplyTest, SecretMadeByTheServerIsShownOnATerminalOnly) {
  have_nothing();
  terminal_.answer("POST /api/sources", 201, "{}");
  terminal_.answer("POST /api/sources/demo/actions", 201, R"({"signing_secret":"whsec_made"})");
  constexpr std::string_view kNoSecret =
      "sources: [{slug: demo, actions: [{name: echo, target_url: 'http://x/'}]}]";
  EXPECT_EQ(apply(kNoSecret), 0);
  EXPECT_THAT(terminal_.err, HasSubstr("grapnel rotate-secret demo/echo"));
  EXPECT_THAT(terminal_.out + terminal_.err, Not(HasSubstr("whsec_made")));
  terminal_.is_terminal = true;
  EXPECT_EQ(apply(kNoSecret), 0);
  EXPECT_THAT(terminal_.err, HasSubstr("shown only now: whsec_made"));
}

TEST_F(ApplyTest, SameManifestAgainChangesNothing) {
  have();
  EXPECT_EQ(apply(kManifest), 0) << terminal_.err;
  EXPECT_THAT(changes(), IsEmpty());
  EXPECT_EQ(terminal_.out,
            "source/demo unchanged\naction/demo/echo unchanged\n"
            "0 created, 0 changed, 0 deleted, 2 unchanged\n");
}

TEST_F(ApplyTest, OtherSpellingsAreNoDifference) {
  action_.retry.schedule = {Millis{90'000}};
  action_.event_types = {"a.*"};
  action_.headers = {{"X-A", "1"}};
  action_.desired = model::DesiredState::disabled;
  source_.body_bytes_max = 2_MiB;
  have();
  EXPECT_EQ(apply(R"(
sources:
  - slug: demo
    body_max: 2048KiB
    event_type: null
    actions:
      - name: echo
        target_url: http://127.0.0.1:9999/
        is_active: false
        retry: {schedule: [90s]}
        event_types: ["a.*"]
        headers: [{name: X-A, value: "1"}]
)"),
            0)
      << terminal_.err;
  EXPECT_THAT(changes(), IsEmpty()) << body_of("PATCH /api/sources/demo/actions/echo");
}

TEST_F(ApplyTest, OnlyDifferentFieldsAreSent) {
  action_.timeout = Millis{15'000};
  source_.name = "Old";
  have();
  terminal_.answer("PATCH /api/sources/demo", 200, "{}");
  terminal_.answer("PATCH /api/sources/demo/actions/echo", 200, "{}");
  EXPECT_EQ(apply(kManifest), 0) << terminal_.err;
  EXPECT_EQ(body_of("PATCH /api/sources/demo"), R"({"name":"Demo"})");
  EXPECT_EQ(body_of("PATCH /api/sources/demo/actions/echo"), R"({"timeout":"20s"})");
  EXPECT_THAT(terminal_.out, HasSubstr("0 created, 2 changed, 0 deleted, 0 unchanged\n"));
}

TEST_F(ApplyTest, DryRunShowsTheDifferenceAndSendsNothing) {
  action_.timeout = Millis{15'000};
  have();
  EXPECT_EQ(apply(std::string(kManifest) + "  - slug: new\n    mode: paused\n", {"--dry-run"}), 0)
      << terminal_.err;
  EXPECT_THAT(changes(), IsEmpty());
  EXPECT_EQ(terminal_.out, R"(source/demo unchanged
action/demo/echo would be changed
  - timeout: 15s
  + timeout: 20s
source/new would be created
  + name: new
  + slug: new
  + mode: paused
1 would be created, 1 would be changed, 0 would be deleted, 1 unchanged
)");
}

TEST_F(ApplyTest, DifferencesHoldNoSecret) {
  action_.headers = {{"Authorization", "Bearer old-t0ken"}};
  have();
  terminal_.variables["TOKEN"] = "Token new-t0ken";
  EXPECT_EQ(apply(R"(
sources:
  - slug: demo
    actions:
      - name: echo
        target_url: http://127.0.0.1:9999/
        signing_secret: {env: DEMO_SECRET}
        headers: {Authorization: {env: TOKEN}}
)",
                  {"--dry-run", "--rotate-secrets"}),
            0)
      << terminal_.err;
  EXPECT_THAT(terminal_.out, HasSubstr("headers"));
  EXPECT_THAT(terminal_.out, HasSubstr("  + signing_secret: (as given, rotated in)"));
  EXPECT_THAT(terminal_.out, Not(HasSubstr("t0ken")));
  EXPECT_THAT(terminal_.out, Not(HasSubstr("whsec_")));
}

TEST_F(ApplyTest, SecretsAreSentAgainOnlyWhenAsked) {
  have();
  terminal_.answer("POST /api/sources/demo/actions/echo/rotate-secret", 200, "{}");
  terminal_.answer("PATCH /api/sources/demo/actions/echo", 200, "{}");
  EXPECT_EQ(apply(kManifest, {"--rotate-secrets"}), 0) << terminal_.err;
  EXPECT_EQ(body_of("POST /api/sources/demo/actions/echo/rotate-secret"),
            R"({"signing_secret":"whsec_c2VjcmV0LW9mLWRlbW8="})");
}

TEST_F(ApplyTest, WhatApplyDidNotMakeIsLeftAlone) {
  source_.managed_by = model::ManagedBy::api;
  have();
  EXPECT_EQ(apply(kManifest), 1);
  EXPECT_THAT(error(), HasSubstr("m.yaml:3: source/demo exists and is managed by api"));
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(ApplyTest, ForceTakesOver) {
  source_.managed_by = model::ManagedBy::api;
  have();
  terminal_.answer("PATCH /api/sources/demo?force=true", 200, "{}");
  EXPECT_EQ(apply(kManifest, {"--force"}), 0) << terminal_.err;
  EXPECT_EQ(body_of("PATCH /api/sources/demo?force=true"), "{}");
  EXPECT_THAT(terminal_.out, HasSubstr("source/demo changed"));
}

TEST_F(ApplyTest, PruneDeletesWhatApplyMadeAndNothingElse) {
  have(R"(,{"name":"old","managed_by":"apply"},{"name":"byhand","managed_by":"api"})",
       R"(,{"slug":"gone","managed_by":"apply"},{"slug":"other","managed_by":"api"})");
  terminal_.answer("GET /api/sources/gone/actions?limit=200", 200, "[]");
  terminal_.answer("GET /api/sources/other/actions?limit=200", 200, "[]");
  const std::string open = "&state=pending%2Crunning%2Cretrying";
  terminal_.answer("GET /api/deliveries?source=demo" + open + "&action=old&limit=1", 200, "[]");
  terminal_.answer("GET /api/deliveries?source=gone" + open + "&limit=1", 200, "[]");
  terminal_.answer("GET /api/events?source=gone&status=held&limit=1", 200, "[]");
  terminal_.answer("DELETE /api/sources/demo/actions/old", 204, "");
  terminal_.answer("DELETE /api/sources/gone", 204, "");
  EXPECT_EQ(apply(kManifest), 0) << terminal_.err;
  EXPECT_THAT(changes(), IsEmpty());
  EXPECT_EQ(apply(kManifest, {"--prune"}), 0) << terminal_.err;
  EXPECT_THAT(changes(),
              ElementsAre("DELETE /api/sources/demo/actions/old", "DELETE /api/sources/gone"));
}

TEST_F(ApplyTest, PruneOfOpenWorkNeedsForce) {
  have(R"(,{"name":"old","managed_by":"apply"})");
  terminal_.answer(
      "GET /api/deliveries?source=demo&state=pending%2Crunning%2Cretrying&action=old&limit=1", 200,
      R"([{"id":"dlv_1"}])");
  terminal_.answer("DELETE /api/sources/demo/actions/old?force=true", 204, "");
  EXPECT_EQ(apply(kManifest, {"--prune"}), 1);
  EXPECT_THAT(error(), HasSubstr("action/demo/old: has open work"));
  EXPECT_THAT(changes(), IsEmpty());
  EXPECT_EQ(apply(kManifest, {"--prune", "--force"}), 0) << terminal_.err;
  EXPECT_THAT(changes(), ElementsAre("DELETE /api/sources/demo/actions/old?force=true"));
}

TEST_F(ApplyTest, RefusedStepSaysHowFarItCame) {
  have_nothing();
  terminal_.answer("POST /api/sources", 201, "{}");
  terminal_.answer("POST /api/sources/demo/actions", 400, R"({"detail":"no room"})");
  EXPECT_EQ(apply(kManifest), 1);
  EXPECT_THAT(error(), HasSubstr("m.yaml:3: action/demo/echo: no room\n"
                                 "grapnel: 1 of 2 steps were taken"));
}

TEST_F(ApplyTest, FilesBesideTheManifestAreRead) {
  std::ofstream(folder_ + "/secret") << "whsec_ZnJvbS1hLWZpbGU=\n";
  have_nothing();
  terminal_.answer("POST /api/sources", 201, "{}");
  terminal_.answer("POST /api/sources/demo/actions", 201, "{}");
  EXPECT_EQ(apply("sources: [{slug: demo, actions: [{name: echo, target_url: 'http://x/', "
                  "signing_secret: {file: secret}}]}]"),
            0)
      << terminal_.err;
  EXPECT_THAT(body_of("POST /api/sources/demo/actions"), HasSubstr("whsec_ZnJvbS1hLWZpbGU=\""));
}

TEST_F(ApplyTest, ProgramsGetTheStepsAsADocument) {
  have();
  EXPECT_EQ(apply(kManifest, {"--dry-run", "-o", "yaml"}), 0);
  EXPECT_EQ(terminal_.out,
            "steps:\n- object: source/demo\n  step: unchanged\n  changes: []\n"
            "- object: action/demo/echo\n  step: unchanged\n  changes: []\n");
}

}  // namespace
}  // namespace grapnel::cli
