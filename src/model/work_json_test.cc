#include "model/work_json.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace grapnel::model {
namespace {

TEST(WorkJson, OutsideBytesNeverMakeTheAnswerInvalid) {
  Event event;
  event.type = "\xff";
  event.target = "/\xfe";
  event.headers = {{"X", "\x80"}};
  Attempt attempt;
  attempt.response_excerpt = std::string("\xff\x00binary", 8);
  attempt.error = "\xff";
  for (const auto& text : {boost::json::serialize(to_json(event, "s", Detail::with_headers)),
                           boost::json::serialize(to_json(attempt))}) {
    boost::system::error_code error;
    (void)boost::json::parse(text, error);  // refuses invalid UTF-8
    EXPECT_FALSE(error) << text;
  }
}

TEST(WorkJson, ListsDoNotCarryHeaders) {
  Event event;
  event.headers = {{"X", "1"}, {"X", "2"}};
  EXPECT_FALSE(to_json(event, "s", Detail::summary).contains("headers"));
  EXPECT_EQ(boost::json::serialize(to_json(event, "s", Detail::with_headers).at("headers")),
            R"([["X","1"],["X","2"]])");
}

TEST(WorkJson, AnEventShowsWhatWasReceived) {
  Event event;
  event.seq = 5;
  event.type = "push";
  event.fanout = FanoutState::recorded;
  event.body_sha256[0] = 0xab;
  event.body_size = 12;
  event.received = Time{Millis{1'500}};
  const auto json = to_json(event, "github", Detail::summary);
  EXPECT_EQ(json.at("id").as_string(), event.id.str());
  EXPECT_EQ(json.at("source"), "github");
  EXPECT_EQ(json.at("status"), "recorded");
  EXPECT_EQ(json.at("received_at"), "1970-01-01T00:00:01.500Z");
  EXPECT_EQ(json.at("body_sha256").as_string().size(), 64u);
  EXPECT_TRUE(json.at("body_sha256").as_string().starts_with("ab00"));
  EXPECT_TRUE(json.at("idempotency_key").is_null());
  EXPECT_FALSE(to_json(event, "", Detail::summary).contains("source"));
}

TEST(WorkJson, ANextAttemptIsShownOnlyWhereOneWillCome) {
  Delivery delivery;
  delivery.due = Time{Millis{1'000}};
  EXPECT_EQ(to_json(delivery).at("next_attempt_at"), "1970-01-01T00:00:01.000Z");
  delivery.waits_for_order = true;
  EXPECT_TRUE(to_json(delivery).at("next_attempt_at").is_null());
  delivery.waits_for_order = false;
  delivery.state = DeliveryState::dead;
  delivery.reason = EndReason::endpoint_gone;
  delivery.ended = Time{Millis{2'000}};
  const auto json = to_json(delivery);
  EXPECT_TRUE(json.at("next_attempt_at").is_null());
  EXPECT_EQ(json.at("reason"), "endpoint_gone");
  EXPECT_EQ(json.at("status"), "dead");
  EXPECT_EQ(json.at("ended_at"), "1970-01-01T00:00:02.000Z");
  EXPECT_TRUE(json.at("replay_of").is_null());
}

TEST(WorkJson, StepsThatWereNotTakenHaveNoTime) {
  Attempt attempt;
  attempt.timings = {
      .dns_us = -1, .connect_us = 0, .tls_us = -1, .first_byte_us = 1'250, .total_us = 2'500};
  const auto json = to_json(attempt);
  EXPECT_EQ(json.at("duration_ms"), 2.5);
  EXPECT_TRUE(json.at("timings").at("dns_ms").is_null());
  EXPECT_EQ(json.at("timings").at("connect_ms"), 0.0);
  EXPECT_EQ(json.at("timings").at("first_byte_ms"), 1.25);
  EXPECT_TRUE(json.at("response_status").is_null());
}

TEST(WorkJson, AKeyIsShownWithoutItsHash) {
  ApiKey key;
  key.hash = "c0ffee";
  key.scope = KeyScope::write;
  key.sources.emplace_back();
  const auto json = to_json(key);
  EXPECT_EQ(boost::json::serialize(json).find("c0ffee"), std::string::npos);
  EXPECT_EQ(json.at("scope"), "write");
  EXPECT_EQ(json.at("sources").as_array().size(), 1u);
  EXPECT_TRUE(json.at("expires_at").is_null());
}

TEST(WorkJson, AJobShowsItsFilterAndProgress) {
  ReplayJob job;
  job.filter.reason = EndReason::retries_exhausted;
  job.matched = 10;
  job.replayed = 4;
  const auto json = to_json(job);
  EXPECT_EQ(json.at("state"), "running");
  EXPECT_EQ(json.at("filter").at("reason"), "retries_exhausted");
  EXPECT_EQ(json.at("matched"), 10);
  EXPECT_FALSE(json.at("filter").as_object().contains("source_id"));
}

}  // namespace
}  // namespace grapnel::model
