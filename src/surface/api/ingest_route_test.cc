#include "surface/api/ingest_route.h"

#include "surface/api/rig.h"

namespace grapnel::api {
namespace {

using IngestRoute = ApiRig;

TEST_F(IngestRoute, UnknownSourceIs404BeforeTheBody) {
  model::HttpRequest head{.method = "POST", .target = "/webhooks/nobody"};
  const auto admitted = handler_->admit(head);
  ASSERT_TRUE(std::holds_alternative<model::HttpResponse>(admitted));
  EXPECT_EQ(kind_of(std::get<model::HttpResponse>(admitted)), "unknown-source");
  EXPECT_EQ(std::get<model::HttpResponse>(admitted).status, 404);
}

TEST_F(IngestRoute, StoreThatIsDownIs503WithRetryAfter) {
  make_source("a");
  store_.set_outage(model::errc::store_unavailable);
  const auto answer = ask({.method = "POST", .target = "/webhooks/a", .body = "x"});
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(header_of(answer, "Retry-After"), "");
}

TEST_F(IngestRoute, OtherMethodsAre405WithAllow) {
  make_source("a");
  const auto answer = ask({.target = "/webhooks/a"});
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(header_of(answer, "Allow"), "POST, PUT");
}

TEST_F(IngestRoute, SourceThatRequiresJsonAnswers415And422) {
  make_source("a", R"(,"require_json":true)");
  EXPECT_EQ(ask({.method = "POST",
                 .target = "/webhooks/a",
                 .body = "x",
                 .headers = {{"Content-Type", "text/plain"}}})
                .status,
            415);
  EXPECT_EQ(ask({.method = "POST",
                 .target = "/webhooks/a",
                 .body = "{",
                 .headers = {{"Content-Type", "application/json"}}})
                .status,
            422);
}

TEST_F(IngestRoute, BodyAboveTheSourcesBoundIs413) {
  make_source("a", R"(,"body_max":"10")");
  EXPECT_EQ(ask({.method = "POST", .target = "/webhooks/a", .body = "12345678901"}).status, 413);
}

TEST_F(IngestRoute, AnswersNameTheEventInBothFields) {
  make_source("a");
  const auto answer = ask({.method = "PUT", .target = "/webhooks/a?x=1", .body = "any bytes \xff"});
  const auto value = expect(202, answer);
  EXPECT_EQ(value.at("event_id"), value.at("delivery_id"));
  EXPECT_TRUE(value.at("event_id").as_string().starts_with("evt_"));
  EXPECT_EQ(value.at("status"), "accepted");
}

TEST_F(IngestRoute, DuplicatesAreAnsweredWithTheFirstEvent) {
  make_source("a");
  const Ask once{.method = "POST",
                 .target = "/webhooks/a",
                 .body = "1",
                 .headers = {{"X-Idempotency-Key", "k"}}};
  const auto first = expect(202, ask(once));
  const auto second = expect(202, ask(once));
  EXPECT_EQ(second.at("status"), "duplicate");
  EXPECT_EQ(second.at("event_id"), first.at("event_id"));
}

TEST_F(IngestRoute, ModesAreSaid) {
  make_source("r", R"(,"mode":"record")");
  make_source("p", R"(,"mode":"paused")");
  EXPECT_EQ(expect(202, ask({.method = "POST", .target = "/webhooks/r"})).at("status"), "recorded");
  EXPECT_EQ(expect(202, ask({.method = "POST", .target = "/webhooks/p"})).at("status"), "held");
}

}  // namespace
}  // namespace grapnel::api
