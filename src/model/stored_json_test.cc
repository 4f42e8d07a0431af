#include "model/stored_json.h"

#include <gtest/gtest.h>

#include "model/errors.h"

namespace grapnel::model {
namespace {

Source full_source() {
  Source source;
  source.id.bytes[0] = 7;
  source.slug = "git-hub";
  source.name = "Git \"Hub\"";
  source.mode = SourceMode::record;
  source.idempotency =
      std::vector<Place>{{Place::Kind::pointer, "/id"}, {Place::Kind::header, "X-Id"}};
  source.event_type = Place{Place::Kind::header, "X-Type"};
  source.ordering_key = Place{Place::Kind::pointer, "/key"};
  source.require_json = true;
  source.body_bytes_max = 2_MiB;
  source.rate_limit = {2.5, 10};
  source.secret_headers = {"X-Secret"};
  source.secret_query = {"token"};
  source.public_url = "https://example.com/";
  source.held_bound = {5, 6};
  source.managed_by = ManagedBy::apply;
  source.deleting = true;
  source.revision = 41;
  source.created = Time{Millis{1'000}};
  source.updated = Time{Millis{2'000}};
  return source;
}

Action full_action() {
  Action action;
  action.id.bytes[0] = 1;
  action.source.bytes[0] = 7;
  action.name = "main";
  action.target_url = "https://example.com/";
  action.desired = DesiredState::paused;
  action.health = Health::gone;
  action.health_since = Time{Millis{5}};
  action.health_reason = "410 Gone";
  action.event_types = {"push", "*"};
  action.headers = {{"X-Raw", "obs \xff text"}, {"X-Raw", "2"}};
  action.forward_headers = {ForwardHeaders::Kind::list, {"A", "B"}};
  action.timeout = Millis{20'000};
  action.max_in_flight = 3;
  action.retry = {.base = Millis{1},
                  .factor = 1.5,
                  .cap = Millis{9},
                  .max_attempts = 4,
                  .policy = RetryOn::transient};
  action.secret_headers = {"X-Team"};
  action.on_dead = OnDead::block;
  action.backlog_bound = {8, 9};
  action.on_full = OnFull::refuse;
  action.schemes = kSchemeV1a | kSchemeSha256;
  action.secrets = {{.sealed = std::string("\x00\xff\x10", 3),
                     .created = Time{Millis{3}},
                     .expires = std::nullopt,
                     .primary_from = Time{Millis{4}}},
                    {.sealed = "old",
                     .created = Time{Millis{1}},
                     .expires = Time{Millis{9}},
                     .primary_from = {}}};
  action.ca_bundle = "-----BEGIN CERTIFICATE-----\n";
  action.managed_by = ManagedBy::crd;
  action.deleting = true;
  action.revision = 12;
  action.target_revision = 11;
  action.created = Time{Millis{1'000}};
  action.updated = Time{Millis{2'000}};
  return action;
}

TEST(Stored, WhatToStoredDidNotWriteIsAnErrorNotACrash) {
  for (const auto* text : {"", "{", "[]", "null", "{}", R"({"id":5})", R"({"id":"src_x"})",
                           R"({"id":"src_00000000000000000000000001","mode":"odd"})",
                           R"({"id":"src_00000000000000000000000001","idempotency":[1]})",
                           R"({"id":"src_00000000000000000000000001","revision":"x"})"}) {
    const auto source = source_from_stored(text);
    ASSERT_FALSE(source) << text;
    EXPECT_EQ(source.error().code, make_error_code(errc::malformed));
  }
  const std::string ids =
      R"({"id":"act_00000000000000000000000001","source":"src_00000000000000000000000001")";
  EXPECT_TRUE(action_from_stored(ids + "}"));
  for (const auto* field :
       {R"("secrets":[{"sealed":"xyz"}])", R"("secrets":[1])", R"("retry":1)",
        R"("headers":[["a"]])", R"("schemes":["v9"])", R"("secrets":[{"sealed":"abc"}])"}) {
    EXPECT_FALSE(action_from_stored(ids + "," + field + "}")) << field;
  }
}

TEST(Stored, RowsOfOlderVersionsReadWithDefaults) {
  const auto source =
      source_from_stored(R"({"id":"src_00000000000000000000000001","slug":"a","future":1})");
  ASSERT_TRUE(source);
  EXPECT_EQ(source->mode, SourceMode::active);
  EXPECT_FALSE(source->idempotency);
  const auto action = action_from_stored(
      R"({"id":"act_00000000000000000000000001","source":"src_00000000000000000000000001"})");
  ASSERT_TRUE(action);
  EXPECT_EQ(action->retry, default_retry_policy());
  EXPECT_EQ(action->schemes, kSchemeV1);
}

TEST(Stored, ASourceComesBackWhole) {
  const Source before = full_source();
  const std::string text = to_stored(before);
  const auto after = source_from_stored(text);
  ASSERT_TRUE(after) << after.error().context;
  EXPECT_EQ(to_stored(*after), text);
  EXPECT_EQ(after->id, before.id);
  EXPECT_EQ(after->idempotency, before.idempotency);
  EXPECT_EQ(after->event_type, before.event_type);
  EXPECT_EQ(after->rate_limit, before.rate_limit);
  EXPECT_EQ(after->held_bound, before.held_bound);
  EXPECT_EQ(after->managed_by, before.managed_by);
  EXPECT_TRUE(after->deleting);
  EXPECT_EQ(after->updated, before.updated);
}

TEST(Stored, AnActionComesBackWholeSecretsAndOddBytesIncluded) {
  const Action before = full_action();
  const std::string text = to_stored(before);
  const auto after = action_from_stored(text);
  ASSERT_TRUE(after) << after.error().context;
  EXPECT_EQ(to_stored(*after), text);
  EXPECT_EQ(after->headers, before.headers);
  EXPECT_EQ(after->secret_headers, before.secret_headers);
  EXPECT_EQ(after->secrets, before.secrets);
  EXPECT_EQ(after->retry, before.retry);
  EXPECT_EQ(after->forward_headers, before.forward_headers);
  EXPECT_EQ(after->schemes, before.schemes);
  EXPECT_EQ(after->target_revision, 11);
  EXPECT_EQ(after->health, Health::gone);
  EXPECT_EQ(after->health_since, before.health_since);
  EXPECT_EQ(after->timeout, before.timeout);
}

TEST(Stored, AKeyComesBackWholeAndADamagedOneNeverWidensItsScope) {
  ApiKey before;
  before.id.bytes[0] = 3;
  before.name = "ci";
  before.hash = "ab";
  before.scope = KeyScope::ingest;
  before.sources.emplace_back().bytes[0] = 9;
  before.expires = Time{Millis{7}};
  before.created = Time{Millis{6}};
  const std::string text = to_stored(before);
  const auto after = api_key_from_stored(text);
  ASSERT_TRUE(after) << after.error().context;
  EXPECT_EQ(to_stored(*after), text);
  EXPECT_EQ(after->sources, before.sources);
  EXPECT_EQ(after->expires, before.expires);
  std::string damaged = text;
  damaged.replace(damaged.find("src_"), 4, "xxx_");
  EXPECT_FALSE(api_key_from_stored(damaged));
  EXPECT_FALSE(api_key_from_stored(R"({"id":"key_00000000000000000000000001"})"));
}

}  // namespace
}  // namespace grapnel::model
