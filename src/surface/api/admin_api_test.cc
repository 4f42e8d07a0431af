#include "surface/api/admin_api.h"

#include "surface/api/rig.h"

namespace grapnel::api {
namespace {

using Admin = ApiRig;

TEST_F(Admin, BackupWantsAnAbsoluteFolderThatIsNotThere) {
  for (const auto* body :
       {R"({})", R"({"folder":"relative"})", R"({"folder":""})", R"({"dir":"/x"})"}) {
    EXPECT_EQ(admin("POST", "/api/backup", body).status, 400) << body;
  }
  expect(201, admin("POST", "/api/backup", R"({"folder":"/backup/one"})"));
  EXPECT_EQ(admin("POST", "/api/backup", R"({"folder":"/backup/one"})").status, 409);
}

TEST_F(Admin, StatusCountsWhatIsOpen) {
  make_source("a");
  make_action("a", R"({"name":"x","target_url":"http://t/"})");
  make_source("p", R"(,"mode":"paused")");
  make_dead("a");
  post_event("a");
  post_event("p");
  const auto status = expect(200, admin("GET", "/api/status"));
  EXPECT_EQ(status.at("sources"), 2);
  EXPECT_EQ(status.at("actions"), 1);
  EXPECT_EQ(status.at("open").at("pending"), 1);
  EXPECT_EQ(status.at("held").at("count"), 1);
  EXPECT_EQ(status.at("dead_letters"), 1);
  EXPECT_EQ(status.at("store").at("writable"), true);
  EXPECT_TRUE(status.at("version").is_string());
}

TEST_F(Admin, StatusSaysThatTheStoreIsDown) {
  store_.set_outage(model::errc::store_unavailable);
  const auto status = expect(200, admin("GET", "/api/status"));
  EXPECT_EQ(status.at("store").at("writable"), false);
}

}  // namespace
}  // namespace grapnel::api
