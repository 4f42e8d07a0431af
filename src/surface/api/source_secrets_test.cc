#include "surface/api/source_secrets.h"

#include "surface/api/rig.h"

namespace grapnel::api {
namespace {

using SourceSecrets = ApiRig;

std::string fingerprint_at(const boost::json::object& source, std::size_t index) {
  return std::string(
      source.at("secret_fingerprints").as_array().at(index).at("fingerprint").as_string());
}

TEST_F(SourceSecrets, OneIsMadeShownOnceAndNeverAgain) {
  const auto made =
      expect(201, admin("POST", "/api/sources", R"({"name":"a","provider":"github"})"));
  const std::string secret(made.at("secret").as_string());
  EXPECT_EQ(secret.size(), 64U);
  const auto shown = admin("GET", "/api/sources/a");
  EXPECT_EQ(shown.body.find(secret), std::string::npos);
  EXPECT_EQ(admin("GET", "/api/sources").body.find(secret), std::string::npos);
  const auto patched = expect(200, admin("PATCH", "/api/sources/a", R"({"name":"b"})"));
  EXPECT_EQ(fingerprint_at(patched.as_object(), 0), fingerprint_at(made.as_object(), 0));
  EXPECT_FALSE(patched.as_object().contains("secret"));
  EXPECT_EQ(end_and_read_log().find(secret), std::string::npos);
}

TEST_F(SourceSecrets, TheSameOnesAgainChangeNothing) {
  const auto made = expect(
      201, admin("POST", "/api/sources", R"({"name":"a","provider":"stripe","secrets":["x"]})"));
  const auto again = expect(200, admin("PATCH", "/api/sources/a", R"({"secrets":["x"]})"));
  EXPECT_EQ(again.at("revision"), made.at("revision"));
  const auto other = expect(200, admin("PATCH", "/api/sources/a", R"({"secrets":["y","x"]})"));
  EXPECT_EQ(fingerprint_at(other.as_object(), 1), fingerprint_at(made.as_object(), 0));
}

TEST_F(SourceSecrets, AnotherProviderDoesNotKeepThem) {
  expect(201, admin("POST", "/api/sources", R"({"name":"a","provider":"github"})"));
  const auto refused = admin("PATCH", "/api/sources/a", R"({"provider":"stripe"})");
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(kind_of(refused), "secret-needed");
  const auto none = expect(200, admin("PATCH", "/api/sources/a", R"({"provider":null})"));
  EXPECT_TRUE(none.at("secret_fingerprints").as_array().empty());
  EXPECT_TRUE(none.at("verification").is_null());
}

TEST_F(SourceSecrets, MistakesRepeatNoSecret) {
  for (const std::string document :
       {R"({"name":"a","provider":"discord","secrets":["hunter2"]})",
        R"({"name":"a","provider":"basic","secrets":["hunter2"]})",
        R"({"name":"a","provider":"github","secrets":[{"hunter2":1}]})",
        R"({"name":"a","provider":"svix","secrets":["whpk_hunter2"]})",
        R"({"name":"a","secrets":["hunter2"]})",
        R"({"name":"a","provider":"github","handshake_token":"hunter2"})"}) {
    const auto answer = admin("POST", "/api/sources", document);
    EXPECT_EQ(answer.status, 400) << document;
    EXPECT_EQ(answer.body.find("hunter2"), std::string::npos) << answer.body;
  }
}

TEST_F(SourceSecrets, TheyAreAddedAndRemovedButNotTheLast) {
  expect(201, admin("POST", "/api/sources", R"({"name":"a","provider":"github"})"));
  const std::string path = "/api/sources/a/secrets";
  for (int i = 0; i < 4; ++i) expect(200, admin("POST", path));
  EXPECT_EQ(admin("POST", path).status, 409);
  const auto all = expect(200, admin("GET", "/api/sources/a")).as_object();
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(admin("DELETE", path + "/" + fingerprint_at(all, i)).status, 204);
  }
  EXPECT_EQ(admin("DELETE", path + "/" + fingerprint_at(all, 4)).status, 409);
  EXPECT_EQ(admin("DELETE", path + "/nothing").status, 404);
}

}  // namespace
}  // namespace grapnel::api
