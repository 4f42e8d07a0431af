#include "surface/api/actions_api.h"

#include <fmt/format.h>

#include "surface/api/rig.h"

namespace grapnel::api {
namespace {

constexpr const char* kAction = "/api/sources/a/actions/x";

class Actions : public ApiRig {
 protected:
  Actions() { make_source("a"); }

  /// Reports that the endpoint answered 410.
  void make_gone() {
    const auto delivery = delivery_of(post_event("a"));
    std::vector<model::LeaseWish> wishes{{.action = delivery.action, .count = 1}};
    const auto leased = doubles::run(loop_, store_.lease(std::move(wishes)));
    const auto& lease = leased->leases.at(0);
    std::vector<model::Settlement> settlements{
        {.delivery = lease.delivery.seq,
         .fence = lease.fence,
         .kind = model::Settlement::Kind::dead,
         .reason = model::EndReason::endpoint_gone,
         .health = model::HealthReport{.health = model::Health::gone,
                                       .target_revision = action("a", "x")->target_revision,
                                       .reason = "410"}}};
    ASSERT_TRUE(doubles::run(loop_, store_.settle(std::move(settlements))));
    ASSERT_EQ(action("a", "x")->health, model::Health::gone);
  }
};

TEST_F(Actions, ATargetIsRequiredAndChecked) {
  EXPECT_EQ(admin("POST", "/api/sources/a/actions", R"({})").status, 400);
  EXPECT_EQ(admin("POST", "/api/sources/a/actions", R"({"target_url":"ftp://x"})").status, 400);
  EXPECT_EQ(admin("POST", "/api/sources/a/actions", R"({"target_url":"http://u:p@x/"})").status,
            400);
  EXPECT_EQ(admin("POST", "/api/sources/b/actions", R"({"target_url":"http://t/"})").status, 404);
}

TEST_F(Actions, ANameIsUniqueInItsSourceAndTheIdByDefault) {
  const auto unnamed = make_action("a", R"({"target_url":"http://t/"})");
  EXPECT_EQ(unnamed.at("name"), unnamed.at("id"));
  make_action("a", R"({"name":"x","target_url":"http://t/"})");
  EXPECT_EQ(
      kind_of(admin("POST", "/api/sources/a/actions", R"({"name":"x","target_url":"http://t/"})")),
      "name-taken");
  const std::string path = "/api/sources/a/actions/" + std::string(unnamed.at("id").as_string());
  EXPECT_EQ(kind_of(admin("PATCH", path, R"({"name":"x"})")), "name-taken");
  make_source("b");
  make_action("b", R"({"name":"x","target_url":"http://t/"})");
}

TEST_F(Actions, AnActionOfAnotherSourceIs404) {
  make_source("b");
  const auto made = make_action("b", R"({"name":"x","target_url":"http://t/"})");
  EXPECT_EQ(admin("GET", kAction).status, 404);
  EXPECT_EQ(admin("GET", "/api/sources/a/actions/" + std::string(made.at("id").as_string())).status,
            404);
}

TEST_F(Actions, NamesAreFoundDecoded) {
  make_action("a", R"({"name":"to CRM/äx","target_url":"http://t/"})");
  EXPECT_EQ(admin("GET", "/api/sources/a/actions/to%20CRM%2F%C3%A4x").status, 200);
  EXPECT_EQ(admin("GET", "/api/sources/a/actions/%zz").status, 404);
}

TEST_F(Actions, StaleIfMatchIs412) {
  make_action("a", R"({"name":"x","target_url":"http://t/"})");
  EXPECT_EQ(ask({.method = "PATCH",
                 .target = kAction,
                 .body = "{}",
                 .key = admin_key_,
                 .headers = {{"If-Match", "\"1\""}}})
                .status,
            412);
}

TEST_F(Actions, IsActiveAndStateAreOneThing) {
  make_action("a", R"({"name":"x","target_url":"http://t/"})");
  const auto off = expect(200, admin("PATCH", kAction, R"({"is_active":false})"));
  EXPECT_EQ(off.at("state"), "disabled");
  EXPECT_EQ(admin("PATCH", kAction, R"({"is_active":false,"state":"active"})").status, 400);
  EXPECT_EQ(expect(200, admin("PATCH", kAction, R"({"state":"paused"})")).at("is_active"), true);
}

TEST_F(Actions, GoneIsEndedByEnableAndByANewTargetButByNothingElse) {
  make_action("a", R"({"name":"x","target_url":"http://t/"})");
  make_gone();
  expect(200, admin("PATCH", kAction, R"({"state":"active","timeout":"20s"})"));
  EXPECT_EQ(action("a", "x")->health, model::Health::gone);

  auto before = action("a", "x")->target_revision;
  const auto enabled = expect(200, admin("POST", "/api/sources/a/actions/x/enable"));
  EXPECT_EQ(enabled.at("health").at("status"), "ok");
  EXPECT_GT(action("a", "x")->target_revision, before);

  make_gone();
  before = action("a", "x")->target_revision;
  expect(200, admin("PATCH", kAction, R"({"target_url":"http://other/"})"));
  EXPECT_EQ(action("a", "x")->health, model::Health::ok);
  EXPECT_GT(action("a", "x")->target_revision, before);
}

TEST_F(Actions, DeletedOnesAreGoneAtOnce) {
  make_action("a", R"({"name":"x","target_url":"http://t/"})");
  EXPECT_EQ(admin("DELETE", kAction).status, 204);
  EXPECT_EQ(admin("GET", kAction).status, 404);
  EXPECT_EQ(expect(200, admin("GET", "/api/sources/a/actions")).as_array().size(), 0u);
  make_action("a", R"({"name":"x","target_url":"http://t/"})");
}

TEST_F(Actions, EnableAndRotationAreOperationsThatNoOwnerForbids) {
  const auto made = ask({.method = "POST",
                         .target = "/api/sources/a/actions",
                         .body = R"({"name":"x","target_url":"http://t/"})",
                         .key = admin_key_,
                         .headers = {{"X-Grapnel-Managed-By", "apply"}}});
  EXPECT_EQ(expect(201, made).at("managed_by"), "apply");
  EXPECT_EQ(admin("PATCH", kAction, R"({"state":"paused"})").status, 409);
  EXPECT_EQ(expect(200, admin("POST", std::string(kAction) + "/enable")).at("managed_by"), "apply");
  expect(200, admin("POST", std::string(kAction) + "/rotate-secret"));
}

TEST_F(Actions, HealthReportsInBetweenDoNotFailAPatch) {
  make_action("a", R"({"name":"x","target_url":"http://t/"})");
  const auto delivery = delivery_of(post_event("a"));
  std::vector<model::LeaseWish> wishes{{.action = delivery.action, .count = 1}};
  const auto leased = doubles::run(loop_, store_.lease(std::move(wishes)));
  bool reported = false;
  // In the turn of the patch's commit another one raises the source's revision first.
  store_.set_commits(doubles::MemoryStore::Commits::by_hand);
  model::Settlement failed{.delivery = leased->leases[0].delivery.seq,
                           .fence = leased->leases[0].fence,
                           .kind = model::Settlement::Kind::retry,
                           .due = store_.clock().now() + Millis{1}};
  failed.health = model::HealthReport{.health = model::Health::failing};
  std::vector<model::Settlement> settlements{failed};
  boost::asio::co_spawn(loop_, store_.settle(std::move(settlements)),
                        [&](const std::exception_ptr&, const auto&) { reported = true; });
  doubles::run_ready(loop_);
  store_.set_commits(doubles::MemoryStore::Commits::each_turn);
  expect(200, admin("PATCH", kAction, R"({"timeout":"20s"})"));
  EXPECT_TRUE(reported);
  EXPECT_EQ(action("a", "x")->timeout, Millis{20'000});
  EXPECT_EQ(action("a", "x")->health, model::Health::failing);
}

}  // namespace
}  // namespace grapnel::api
