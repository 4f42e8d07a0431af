#include "surface/api/keys_api.h"

#include "crypto/token.h"
#include "surface/api/rig.h"

namespace grapnel::api {
namespace {

using Keys = ApiRig;

TEST_F(Keys, WhatMakesNoSenseIsRefused) {
  make_source("a");
  for (const auto* body :
       {R"({})", R"({"name":""})", R"({"name":"k","scope":"root"})", R"({"name":"k","sources":[]})",
        R"({"name":"k","sources":["nobody"]})", R"({"name":"k","scope":"admin","sources":["a"]})",
        R"({"name":"k","expires_at":"2001-01-01T00:00:00Z"})", R"({"name":"k","expires_at":5})",
        R"({"name":"k","hash":"x"})"}) {
    EXPECT_EQ(admin("POST", "/api/keys", body).status, 400) << body;
  }
  EXPECT_TRUE(store_.snapshot()->keys.empty());
}

TEST_F(Keys, ShownOnceAndStoredAsAHashOnly) {
  make_source("a");
  const auto made =
      expect(201, admin("POST", "/api/keys", R"({"name":"ci","scope":"write","sources":["a"]})"));
  const std::string key(made.at("key").as_string());
  EXPECT_TRUE(key.starts_with("gk_"));
  EXPECT_EQ(made.at("sources").at(0), "a");
  const auto listed = admin("GET", "/api/keys");
  EXPECT_EQ(listed.body.find(key), std::string::npos);
  EXPECT_EQ(listed.body.find(crypto::token_hash(key)), std::string::npos);
  EXPECT_EQ(expect(200, listed).at(0).at("name"), "ci");
}

TEST_F(Keys, DeletedOnesEndAtOnce) {
  const auto made = expect(201, admin("POST", "/api/keys", R"({"name":"k"})"));
  const std::string path = "/api/keys/" + std::string(made.at("id").as_string());
  EXPECT_EQ(admin("DELETE", path).status, 204);
  EXPECT_EQ(admin("DELETE", path).status, 404);
  EXPECT_EQ(admin("DELETE", "/api/keys/x").status, 404);
}

TEST_F(Keys, ScopeIsReadUnlessSaidOtherwise) {
  EXPECT_EQ(expect(201, admin("POST", "/api/keys", R"({"name":"k","sources":null})")).at("scope"),
            "read");
}

}  // namespace
}  // namespace grapnel::api
