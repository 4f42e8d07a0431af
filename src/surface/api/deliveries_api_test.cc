#include "surface/api/deliveries_api.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "surface/api/rig.h"

namespace grapnel::api {
namespace {

class Deliveries : public ApiRig {
 protected:
  Deliveries() {
    make_source("a");
    make_action("a", R"({"name":"x","target_url":"http://t/hook?q=1","headers":{"X-Team":"crm"}})");
  }
  model::HttpResponse post(const std::string& id, std::string_view what) {
    return admin("POST", fmt::format("/api/deliveries/{}/{}", id, what));
  }
};

TEST_F(Deliveries, UnknownOnesAre404OnEveryRoute) {
  const auto id = ids_.make<model::DeliveryId>().str();
  EXPECT_EQ(admin("GET", "/api/deliveries/" + id).status, 404);
  EXPECT_EQ(admin("GET", "/api/deliveries/" + ids_.make<model::EventId>().str()).status, 404);
  EXPECT_EQ(admin("GET", "/api/deliveries/" + id + "/attempts").status, 404);
  for (const auto* what : {"cancel", "retry", "skip", "replay"})
    EXPECT_EQ(post(id, what).status, 404);
}

TEST_F(Deliveries, WhatItsStateForbidsIs409) {
  const auto open = delivery_of(post_event("a")).id.str();
  EXPECT_EQ(kind_of(post(open, "replay")), "not-ended");
  EXPECT_EQ(kind_of(post(open, "retry")), "not-retrying");
  EXPECT_EQ(kind_of(post(open, "skip")), "not-blocking");
  EXPECT_EQ(post(open, "cancel").status, 200);
  EXPECT_EQ(kind_of(post(open, "cancel")), "already-ended");
  EXPECT_EQ(kind_of(post(open, "retry")), "already-ended");
}

TEST_F(Deliveries, CancellingARunningOneStoresTheWish) {
  const auto delivery = delivery_of(post_event("a"));
  std::vector<model::LeaseWish> wishes{{.action = delivery.action, .count = 1}};
  ASSERT_EQ(doubles::run(loop_, store_.lease(std::move(wishes)))->leases.size(), 1u);
  const auto answer = expect(202, post(delivery.id.str(), "cancel"));
  EXPECT_EQ(answer.at("state"), "running");
  EXPECT_EQ(answer.at("cancel_requested"), true);
}

TEST_F(Deliveries, RetryMakesAWaitingOneDueNow) {
  const auto delivery = delivery_of(post_event("a"));
  settle(delivery, model::Settlement::Kind::retry, model::EndReason::none, 500);
  const auto answer = expect(200, post(delivery.id.str(), "retry"));
  EXPECT_EQ(answer.at("state"), "pending");
}

TEST_F(Deliveries, ReplayIsANewDeliveryAndADeadOneIsReplayedOnce) {
  const auto dead = make_dead("a");
  const auto answer = post(dead, "replay");
  const auto replay = expect(201, answer);
  EXPECT_EQ(replay.at("replay_of").as_string(), dead);
  EXPECT_EQ(header_of(answer, "Location"),
            "/api/deliveries/" + std::string(replay.at("id").as_string()));
  EXPECT_EQ(kind_of(post(dead, "replay")), "already-replayed");
  EXPECT_EQ(expect(200, admin("GET", "/api/deliveries/" + dead)).at("replayed_by"),
            replay.at("id"));
}

TEST_F(Deliveries, ListsAreFiltered) {
  make_action("a", R"({"name":"y","target_url":"http://t/"})");
  const auto event = post_event("a");
  const auto count = [this](const std::string& query) {
    return expect(200, admin("GET", "/api/deliveries?" + query)).as_array().size();
  };
  EXPECT_EQ(count(""), 2u);
  EXPECT_EQ(count("event=" + event), 2u);
  EXPECT_EQ(count("source=a&action=y"), 1u);
  EXPECT_EQ(count("action=" + action("a", "x")->id.str()), 1u);
  EXPECT_EQ(count("state=dead,delivered"), 0u);
  EXPECT_EQ(count("state=dead,pending"), 2u);
  for (const auto* query : {"state=open", "action=y", "event=x", "source=b"}) {
    EXPECT_GE(admin("GET", fmt::format("/api/deliveries?{}", query)).status, 400) << query;
  }
}

TEST_F(Deliveries, AttemptsShowTheRequestAsItWasSent) {
  const auto delivery = delivery_of(post_event("a", R"({"type":"t"})"));
  settle(delivery, model::Settlement::Kind::delivered);
  expect(200, admin("PATCH", "/api/sources/a/actions/x",
                    R"({"target_url":"http://new/","headers":{"X-Team":"new"}})"));
  const auto attempts =
      expect(200, admin("GET", "/api/deliveries/" + delivery.id.str() + "/attempts"));
  ASSERT_EQ(attempts.as_array().size(), 1u);
  const auto& request = attempts.at(0).at("request");
  EXPECT_EQ(request.at("method"), "POST");
  EXPECT_EQ(request.at("url"), "http://t/hook?q=1");
  EXPECT_EQ(request.at("complete"), true);
  const std::string headers = boost::json::serialize(request.at("headers"));
  for (const auto* expected :
       {R"(["X-Team","crm"])", R"(["webhook-signature","v1,abc"])", R"(["X-Grapnel-Attempt","1"])",
        R"(["traceparent","00-aa-bb-01"])", R"(["Content-Type","application/json"])"}) {
    EXPECT_NE(headers.find(expected), std::string::npos) << expected << headers;
  }
  EXPECT_NE(headers.find(delivery.id.str()), std::string::npos);
}

TEST_F(Deliveries, UsersOfTheOriginalFindTheEventUnderItsId) {
  const auto id = post_event("a", R"({"b":1, "a":1.10, "b":2})");
  const auto answer = admin("GET", "/api/deliveries/" + id);
  EXPECT_NE(answer.body.find(R"("payload":{"b":1, "a":1.10, "b":2}})"), std::string::npos)
      << answer.body;
  const auto value = expect(200, answer);
  EXPECT_EQ(value.at("id").as_string(), id);
  EXPECT_EQ(value.at("headers").at("Content-Type"), "application/json");
  for (const auto* name : {"source_id", "idempotency_key", "status", "received_at"}) {
    EXPECT_NE(value.as_object().if_contains(name), nullptr) << name;
  }
}

TEST_F(Deliveries, APayloadThatIsNotJsonIsBase64) {
  for (const std::string body : {"a=1&b=2", "\xef\xbb\xbf{}", ""}) {
    const auto id =
        expect(202, ask({.method = "POST", .target = "/webhooks/a", .body = body})).at("event_id");
    const auto value = expect(200, admin("GET", "/api/deliveries/" + std::string(id.as_string())));
    EXPECT_TRUE(value.at("payload").is_null()) << body;
    EXPECT_TRUE(value.at("payload_base64").is_string()) << body;
  }
}

TEST_F(Deliveries, TheEventsAttemptsAreThoseOfAllItsDeliveries) {
  make_action("a", R"({"name":"y","target_url":"http://t/"})");
  const auto event = post_event("a");
  auto first = delivery_of(event);
  settle(first, model::Settlement::Kind::delivered);
  clock_.advance(Millis{10});
  first.action = action("a", "x")->id;
  settle(first, model::Settlement::Kind::dead, model::EndReason::final_failure, 404);
  const auto attempts =
      expect(200, admin("GET", "/api/deliveries/" + event + "/attempts")).as_array();
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_EQ(attempts[0].at("status"), "success");
  EXPECT_EQ(attempts[1].at("status"), "failed");
  EXPECT_EQ(attempts[1].at("attempt_number"), 1);
  EXPECT_EQ(attempts[1].at("response_status"), 404);
  const auto page = admin("GET", "/api/deliveries/" + event + "/attempts?limit=1");
  EXPECT_EQ(expect(200, page).as_array().size(), 1u);
  EXPECT_NE(next_of(page), "");
}

}  // namespace
}  // namespace grapnel::api
