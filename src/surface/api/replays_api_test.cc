#include "surface/api/replays_api.h"

#include <fmt/format.h>

#include "surface/api/rig.h"

namespace grapnel::api {
namespace {

class Replays : public ApiRig {
 protected:
  Replays() {
    make_source("a");
    make_action("a", R"({"name":"x","target_url":"http://t/"})");
  }
};

TEST_F(Replays, FiltersThatMakeNoSenseAreRefusedAndMakeNoJob) {
  for (const auto* body : {R"({"reason":"bad luck"})", R"({"rate":-1})", R"({"rate":1e9})",
                           R"({"from":"now"})", R"({"sourc":"a"})", R"({"action":"x"})", R"([])"}) {
    EXPECT_EQ(admin("POST", "/api/replays", body).status, 400) << body;
  }
  EXPECT_EQ(admin("POST", "/api/replays", R"({"source":"b"})").status, 404);
  EXPECT_EQ(admin("GET", "/api/dead-letters?reason=").status, 400);
  EXPECT_EQ(expect(200, admin("GET", "/api/replays")).as_array().size(), 0u);
  EXPECT_EQ(jobs_started_, 0);
}

TEST_F(Replays, DeadLettersAreListedByWhatTheyAre) {
  const auto dead = make_dead("a");
  const auto count = [this](std::string query) {
    return expect(200, admin("GET", "/api/dead-letters?" + query)).as_array().size();
  };
  EXPECT_EQ(expect(200, admin("GET", "/api/dead-letters")).at(0).at("id").as_string(), dead);
  EXPECT_EQ(count("source=a&action=x&reason=retries_exhausted"), 1u);
  EXPECT_EQ(count("reason=backlog_full"), 0u);
  EXPECT_EQ(count("from=2999-01-01T00:00:00Z"), 0u);
  expect(201, admin("POST", "/api/deliveries/" + dead + "/replay"));
  EXPECT_EQ(count(""), 0u);
}

TEST_F(Replays, AJobSaysHowMuchItCoversAndWakesWhoRunsIt) {
  make_dead("a");
  make_dead("a");
  const auto answer = admin("POST", "/api/replays", R"({"source":"a","action":"x","rate":10})");
  const auto job = expect(202, answer);
  EXPECT_EQ(job.at("matched"), 2);
  EXPECT_EQ(job.at("state"), "running");
  EXPECT_EQ(job.at("filter").at("source"), "a");
  EXPECT_EQ(jobs_started_, 1);
  const std::string path = header_of(answer, "Location");
  EXPECT_EQ(expect(200, admin("GET", path)), job);
  EXPECT_EQ(expect(200, admin("POST", path + "/cancel")).at("state"), "cancelled");
  EXPECT_EQ(expect(200, admin("POST", path + "/cancel")).at("state"), "cancelled");
  EXPECT_EQ(admin("GET", "/api/replays/job_0").status, 404);
}

TEST_F(Replays, AKeyOfOneSourceReplaysItsOwnOnly) {
  make_source("b");
  make_action("b", R"({"name":"x","target_url":"http://t/"})");
  make_dead("a");
  make_dead("b");
  const std::string key = make_key("write", R"(["a"])");
  const auto job =
      expect(202, ask({.method = "POST", .target = "/api/replays", .body = "{}", .key = key}));
  EXPECT_EQ(job.at("matched"), 1);
  EXPECT_EQ(job.at("filter").at("source"), "a");
  const auto both = make_key("write", R"(["a","b"])");
  EXPECT_EQ(ask({.method = "POST", .target = "/api/replays", .body = "{}", .key = both}).status,
            400);
  const auto by_action = fmt::format(R"({{"action":"{}"}})", action("b", "x")->id.str());
  const auto other =
      expect(202, ask({.method = "POST", .target = "/api/replays", .body = by_action, .key = key}));
  EXPECT_EQ(other.at("matched"), 0);
}

}  // namespace
}  // namespace grapnel::api
