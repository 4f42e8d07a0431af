#include "pipeline/describe.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace grapnel::pipeline {
namespace {

using model::HeaderList;
using model::HttpRequest;
using model::Place;

Place header(std::string name) { return {Place::Kind::header, std::move(name)}; }
Place pointer(std::string name) { return {Place::Kind::pointer, std::move(name)}; }

Description of(const model::Source& source, HeaderList headers, std::string body = "") {
  return describe(source, HttpRequest{.headers = std::move(headers), .body = std::move(body)});
}

TEST(Describe, NothingSaidIsAWebhookWithoutKeys) {
  for (const char* body : {"", "not json", "{}", "[]", R"({"type":null})", R"({"type":""})",
                           R"({"type":{}})", R"({"type":"x")"}) {
    const auto got = of({}, {{"X-GitHub-Event", ""}}, body);
    EXPECT_EQ(got.type, "webhook") << body;
    EXPECT_EQ(got.idempotency_place, "") << body;
    EXPECT_FALSE(got.ordering_key) << body;
  }
}

TEST(Describe, TypeByDefaultIsGithubsThenCloudEventsThenTheBodys) {
  const std::string body = R"({"action":"opened","type":"invoice.paid"})";
  EXPECT_EQ(of({}, {{"x-github-event", "pull_request"}, {"ce-type", "c"}}, body).type,
            "pull_request.opened");
  EXPECT_EQ(of({}, {{"X-GitHub-Event", "push"}}, R"({"ref":"x"})").type, "push");
  EXPECT_EQ(of({}, {{"CE-Type", "com.example"}}, body).type, "com.example");
  EXPECT_EQ(of({}, {}, body).type, "invoice.paid");
}

TEST(Describe, OwnPlaceOfTheTypeAloneDecides) {
  const model::Source source{.event_type = pointer("/event/name")};
  EXPECT_EQ(of(source, {{"ce-type", "c"}}, R"({"event":{"name":"n"},"type":"t"})").type, "n");
  EXPECT_EQ(of(source, {{"ce-type", "c"}}, R"({"type":"t"})").type, "webhook");
}

TEST(Describe, TypeIsPrintableUtf8WithinItsBound) {
  EXPECT_EQ(of({}, {}, R"({"type":"a\u0000b\u001f\u007f"})").type, std::string("a_b__"));
  EXPECT_EQ(of({}, {{"ce-type", "caf\xe9"}}).type, "caf\uFFFD");
  const std::string whole(model::kEventTypeBytesMax - 1, 'x');
  EXPECT_EQ(of({}, {}, R"({"type":")" + whole + R"(é"})").type, whole)
      << "no character is cut in two";
  const auto bad = of({}, {{"ce-type", std::string(model::kEventTypeBytesMax, '\xff')}}).type;
  EXPECT_LE(bad.size(), model::kEventTypeBytesMax);
  EXPECT_EQ(bad.size() % 3, 0U);
}

TEST(Describe, FirstPlaceThatHasAKeyWins) {
  const auto got = of({}, {{"webhook-id", "w"}, {"Idempotency-Key", "i"}});
  EXPECT_EQ(got.idempotency_place, "header:Idempotency-Key");
  EXPECT_EQ(got.idempotency_key, "i");
  const model::Source own{.idempotency = {{pointer("/id"), header("X-Id")}}};
  EXPECT_EQ(of(own, {{"X-Id", "h"}}, R"({"id":7})").idempotency_place, "/id");
  EXPECT_EQ(of(own, {{"X-Id", "h"}}, R"({"id":7})").idempotency_key, "7");
  EXPECT_EQ(of(own, {{"X-Id", "h"}}, R"({"id":""})").idempotency_key, "h");
  EXPECT_EQ(of(own, {{"Idempotency-Key", "i"}}).idempotency_place, "");
  EXPECT_EQ(of({.idempotency = std::vector<Place>{}}, {{"webhook-id", "w"}}).idempotency_place, "");
}

TEST(Describe, CloudEventsIdCountsWithItsSource) {
  const auto a = of({}, {{"ce-id", "1"}, {"ce-source", "/a"}});
  const auto b = of({}, {{"ce-id", "1"}, {"ce-source", "/b"}});
  EXPECT_EQ(a.idempotency_place, "header:ce-id");
  EXPECT_NE(a.idempotency_key, b.idempotency_key);
}

TEST(Describe, LongKeysAreHashedAndStayDifferent) {
  const std::string most(model::kIdempotencyKeyBytesMax, 'k');
  EXPECT_EQ(of({}, {{"Idempotency-Key", most}}).idempotency_key, most);
  const auto one = of({}, {{"Idempotency-Key", most + "1"}}).idempotency_key;
  const auto two = of({}, {{"Idempotency-Key", most + "2"}}).idempotency_key;
  EXPECT_TRUE(one.starts_with("sha256:"));
  EXPECT_EQ(one.size(), 7U + 64U);
  EXPECT_NE(one, two);
}

TEST(Describe, OrderingKeyIsReadFromItsPlaceOrAbsent) {
  const model::Source source{.ordering_key = pointer("/customer")};
  EXPECT_EQ(of(source, {}, R"({"customer":42})").ordering_key, "42");
  EXPECT_FALSE(of(source, {}, R"({"customer":null})").ordering_key);
  EXPECT_FALSE(of(source, {}, R"({"customer":""})").ordering_key);
  EXPECT_TRUE(of({.ordering_key = header("X-Key")}, {{"x-key", std::string(300, 'x')}})
                  .ordering_key->starts_with("sha256:"));
}

}  // namespace
}  // namespace grapnel::pipeline
