#include "surface/api/events_api.h"

#include <fmt/format.h>

#include "surface/api/rig.h"

namespace grapnel::api {
namespace {

class Events : public ApiRig {
 protected:
  Events() { make_source("a"); }
  std::vector<std::string> list(std::string_view query) {
    std::vector<std::string> ids;
    for (const auto& event :
         expect(200, admin("GET", fmt::format("/api/events?{}", query))).as_array()) {
      ids.emplace_back(event.at("id").as_string());
    }
    return ids;
  }
};

TEST_F(Events, FiltersThatMakeNoSenseAreRefused) {
  for (const auto* query : {"from=yesterday", "to=1", "status=unknown", "limit=0", "cursor=x"}) {
    EXPECT_EQ(admin("GET", fmt::format("/api/events?{}", query)).status, 400) << query;
  }
  EXPECT_EQ(admin("GET", "/api/events?source=nobody").status, 404);
}

TEST_F(Events, UnknownOnesAre404) {
  EXPECT_EQ(admin("GET", "/api/events/evt_0").status, 404);
  EXPECT_EQ(admin("GET", "/api/events/" + ids_.make<model::EventId>().str()).status, 404);
  EXPECT_EQ(admin("GET", "/api/events/x/body").status, 404);
  EXPECT_EQ(admin("POST", "/api/events/x/replay").status, 404);
}

TEST_F(Events, ListsAreFilteredAndPaged) {
  make_source("b", R"(,"mode":"record")");
  const auto first = post_event("a", R"({"type":"x.y"})");
  clock_.advance(Millis{60'000});
  const auto second = post_event("b");
  EXPECT_EQ(list(""), (std::vector{second, first}));
  EXPECT_EQ(list("source=b"), (std::vector{second}));
  EXPECT_EQ(list("type=x.y"), (std::vector{first}));
  EXPECT_EQ(list("status=recorded"), (std::vector{second}));
  EXPECT_EQ(list("from=" + to_rfc3339(store_.clock().now())), (std::vector{second}));
  EXPECT_EQ(list("to=" + to_rfc3339(store_.clock().now())), (std::vector{first}));
  const auto page = admin("GET", "/api/events?limit=1");
  EXPECT_EQ(expect(200, admin("GET", next_of(page))).at(0).at("id").as_string(), first);
}

TEST_F(Events, CursorsOfAnotherListAreRefused) {
  make_action("a", R"({"target_url":"http://t/"})");
  post_event("a");
  post_event("a");
  const auto next = next_of(admin("GET", "/api/events?limit=1"));
  const auto cursor = next.substr(next.find("cursor="));
  EXPECT_EQ(kind_of(admin("GET", "/api/deliveries?" + cursor)), "old-cursor");
}

TEST_F(Events, TheBodyComesByteForByteAndRunsNowhere) {
  const std::string body = std::string("<script>\0\xff", 10) + "\r\n";
  const auto id = expect(202, ask({.method = "POST",
                                   .target = "/webhooks/a",
                                   .body = body,
                                   .headers = {{"Content-Type", "text/html"}}}))
                      .at("event_id");
  const auto answer = admin("GET", fmt::format("/api/events/{}/body", std::string(id.as_string())));
  EXPECT_EQ(answer.body, body);
  EXPECT_EQ(header_of(answer, "Content-Type"), "text/html");
  EXPECT_EQ(header_of(answer, "X-Content-Type-Options"), "nosniff");
  EXPECT_TRUE(header_of(answer, "Content-Disposition").starts_with("attachment"));
  EXPECT_NE(header_of(answer, "Content-Security-Policy").find("sandbox"), std::string::npos);
}

TEST_F(Events, ABodyThatIsGoneIsSaidAndCannotBeReplayed) {
  const auto id = post_event("a");
  store_.remove_body(store_.tables().events().begin()->first);
  EXPECT_EQ(kind_of(admin("GET", "/api/events/" + id + "/body")), "body-gone");
  EXPECT_EQ(admin("POST", "/api/events/" + id + "/replay").status, 409);
  EXPECT_EQ(admin("GET", "/api/events/" + id).status, 200);
  EXPECT_EQ(admin("GET", "/api/deliveries/" + id).status, 200);
}

TEST_F(Events, ReplayIsANewRunWithTodaysActions) {
  const auto id = post_event("a");
  make_action("a", R"({"name":"new","target_url":"http://t/"})");
  const auto replayed = expect(202, admin("POST", "/api/events/" + id + "/replay"));
  ASSERT_EQ(replayed.at("deliveries").as_array().size(), 1u);
  const auto delivery = delivery_of(id);
  EXPECT_EQ(delivery.id.str(), replayed.at("deliveries").at(0).as_string());
  EXPECT_EQ(delivery.run, 2);
  EXPECT_EQ(delivery.state, model::DeliveryState::pending);
}

TEST_F(Events, ReplayIsRefusedWhileItsSourceIsNotActiveOrItsFanoutOpen) {
  const auto id = post_event("a");
  expect(200, admin("PATCH", "/api/sources/a", R"({"mode":"paused"})"));
  EXPECT_EQ(kind_of(admin("POST", "/api/events/" + id + "/replay")), "source-not-active");
  const auto held = post_event("a");
  expect(200, admin("PATCH", "/api/sources/a", R"({"mode":"active"})"));
  EXPECT_EQ(kind_of(admin("POST", "/api/events/" + held + "/replay")), "not-ended");
  EXPECT_EQ(admin("DELETE", "/api/sources/a").status, 204);
  EXPECT_EQ(kind_of(admin("POST", "/api/events/" + id + "/replay")), "source-deleted");
}

TEST_F(Events, SecretsOfTheSenderAreNotShown) {
  const auto id = expect(202, ask({.method = "POST",
                                   .target = "/webhooks/a",
                                   .body = "x",
                                   .headers = {{"Authorization", "Bearer sender-token"}}}))
                      .at("event_id");
  const auto shown = admin("GET", "/api/events/" + std::string(id.as_string()));
  EXPECT_EQ(shown.body.find("sender-token"), std::string::npos);
  EXPECT_NE(shown.body.find("digest:"), std::string::npos);
}

}  // namespace
}  // namespace grapnel::api
