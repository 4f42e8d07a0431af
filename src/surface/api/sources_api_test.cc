#include "surface/api/sources_api.h"

#include <fmt/format.h>

#include "surface/api/rig.h"

namespace grapnel::api {
namespace {

using Sources = ApiRig;

TEST_F(Sources, UnknownFieldsAreNamed) {
  const auto answer = admin("POST", "/api/sources", R"({"name":"a","modus":"active"})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("modus"), std::string::npos);
}

TEST_F(Sources, ASlugIsTakenOnce) {
  make_source("a");
  EXPECT_EQ(kind_of(admin("POST", "/api/sources", R"({"name":"A"})")), "name-taken");
  make_source("b");
  EXPECT_EQ(kind_of(admin("PATCH", "/api/sources/b", R"({"slug":"a"})")), "name-taken");
}

TEST_F(Sources, ANameThatGivesNoSlugIs400) {
  EXPECT_EQ(admin("POST", "/api/sources", R"({"name":"§§"})").status, 400);
  EXPECT_EQ(admin("POST", "/api/sources", R"({})").status, 400);
}

TEST_F(Sources, CreatedOnesSayWhereTheyAre) {
  const auto answer = admin("POST", "/api/sources", R"({"name":"My Source"})");
  const auto made = expect(201, answer);
  EXPECT_EQ(made.at("slug"), "my-source");
  EXPECT_EQ(made.at("mode"), "active");
  EXPECT_EQ(made.at("managed_by"), "api");
  EXPECT_EQ(header_of(answer, "Location"), "/api/sources/my-source");
  EXPECT_EQ(expect(200, admin("GET", "/api/sources/my-source")), made);
  const std::string id(made.at("id").as_string());
  EXPECT_EQ(expect(200, admin("GET", "/api/sources/" + id)), made);
}

TEST_F(Sources, StaleIfMatchIs412AndChangesNothing) {
  make_source("a");
  const std::string old = header_of(admin("GET", "/api/sources/a"), "ETag");
  expect(200, admin("PATCH", "/api/sources/a", R"({"mode":"paused"})"));
  const auto stale = ask({.method = "PATCH",
                          .target = "/api/sources/a",
                          .body = R"({"mode":"record"})",
                          .key = admin_key_,
                          .headers = {{"If-Match", old}}});
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(expect(200, admin("GET", "/api/sources/a")).at("mode"), "paused");
  EXPECT_EQ(ask({.method = "DELETE",
                 .target = "/api/sources/a",
                 .key = admin_key_,
                 .headers = {{"If-Match", old}}})
                .status,
            412);
}

TEST_F(Sources, CurrentIfMatchGoesThroughAndKnownTagsAre304) {
  make_source("a");
  const std::string tag = header_of(admin("GET", "/api/sources/a"), "ETag");
  const auto get = [&](std::string known) {
    return ask({.target = "/api/sources/a",
                .key = admin_key_,
                .headers = {{"If-None-Match", std::move(known)}}});
  };
  EXPECT_EQ(get(tag).status, 304);
  EXPECT_EQ(get(tag).body, "");
  EXPECT_EQ(get("\"0\", W/" + tag).status, 304);
  EXPECT_EQ(get("\"0\"").status, 200);
  const auto patched = ask({.method = "PATCH",
                            .target = "/api/sources/a",
                            .body = R"({"mode":"record"})",
                            .key = admin_key_,
                            .headers = {{"If-Match", tag}}});
  EXPECT_EQ(patched.status, 200);
  EXPECT_NE(header_of(patched, "ETag"), tag);
}

TEST_F(Sources, APatchThatChangesNothingKeepsTheRevision) {
  make_source("a");
  const std::string tag = header_of(admin("GET", "/api/sources/a"), "ETag");
  const auto patched = admin("PATCH", "/api/sources/a", R"({"mode":"active"})");
  EXPECT_EQ(header_of(patched, "ETag"), tag);
}

TEST_F(Sources, DeletedOnesAreGoneAtOnceAndTheirSlugIsFree) {
  make_source("a");
  EXPECT_EQ(admin("DELETE", "/api/sources/a").status, 204);
  EXPECT_EQ(admin("GET", "/api/sources/a").status, 404);
  EXPECT_EQ(admin("DELETE", "/api/sources/a").status, 404);
  EXPECT_EQ(ask({.method = "POST", .target = "/webhooks/a"}).status, 404);
  make_source("a");
}

TEST_F(Sources, ListsArePagedNewestFirst) {
  for (const auto* slug : {"a", "b", "c"}) {
    make_source(slug);
    clock_.advance(Millis{5});
  }
  const auto first = admin("GET", "/api/sources?limit=2");
  const auto page = expect(200, first).as_array();
  ASSERT_EQ(page.size(), 2u);
  EXPECT_EQ(page[0].at("slug"), "c");
  const auto rest = expect(200, admin("GET", next_of(first))).as_array();
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].at("slug"), "a");
  EXPECT_EQ(next_of(admin("GET", next_of(first))), "");
}

TEST_F(Sources, LimitsOutsideOfTheirBoundAreRefused) {
  for (const auto* limit : {"0", "201", "-1", "x", "", "1x"}) {
    EXPECT_EQ(admin("GET", fmt::format("/api/sources?limit={}", limit)).status, 400) << limit;
  }
  EXPECT_EQ(admin("GET", "/api/sources?cursor=nonsense").status, 400);
}

Ask by_apply(std::string method, std::string target, std::string body, std::string key) {
  return {.method = std::move(method),
          .target = std::move(target),
          .body = std::move(body),
          .key = std::move(key),
          .headers = {{"X-Grapnel-Managed-By", "apply"}}};
}

TEST_F(Sources, WhatApplyMadeIsChangedByApplyOrByForceOnly) {
  expect(201, ask(by_apply("POST", "/api/sources", R"({"name":"a"})", admin_key_)));
  const auto refused = admin("PATCH", "/api/sources/a", R"({"mode":"paused"})");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(kind_of(refused), "other-owner");
  EXPECT_NE(refused.body.find("force=true"), std::string::npos);
  EXPECT_EQ(admin("DELETE", "/api/sources/a").status, 409);

  const auto forced =
      expect(200, admin("PATCH", "/api/sources/a?force=true", R"({"mode":"paused"})"));
  EXPECT_EQ(forced.at("managed_by"), "apply");
  expect(200, ask(by_apply("PATCH", "/api/sources/a", R"({"mode":"active"})", admin_key_)));
}

TEST_F(Sources, ApplyTakesOverWhatTheApiMadeByForceOnly) {
  make_source("a");
  EXPECT_EQ(ask(by_apply("PATCH", "/api/sources/a", R"({"mode":"paused"})", admin_key_)).status,
            409);
  const auto taken = ask(by_apply("PATCH", "/api/sources/a?force=true", R"({})", admin_key_));
  EXPECT_EQ(expect(200, taken).at("managed_by"), "apply");
}

TEST_F(Sources, OwnersAndForceThatAreNeitherAreRefused) {
  make_source("a");
  EXPECT_EQ(ask({.method = "PATCH",
                 .target = "/api/sources/a",
                 .body = "{}",
                 .key = admin_key_,
                 .headers = {{"X-Grapnel-Managed-By", "crd"}}})
                .status,
            400);
  EXPECT_EQ(admin("PATCH", "/api/sources/a?force=1", "{}").status, 400);
}

TEST_F(Sources, PruningWhatHasOpenWorkNeedsForce) {
  expect(201, ask(by_apply("POST", "/api/sources", R"({"name":"a"})", admin_key_)));
  make_action("a", R"({"target_url":"http://t/"})");
  post_event("a");
  EXPECT_EQ(kind_of(ask(by_apply("DELETE", "/api/sources/a", "", admin_key_))), "open-work");
  EXPECT_EQ(ask(by_apply("DELETE", "/api/sources/a?force=true", "", admin_key_)).status, 204);
}

}  // namespace
}  // namespace grapnel::api
