#include "model/source_json.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "model/errors.h"

namespace grapnel::model {
namespace {

std::string mistakes_of(std::string_view json) {
  const auto patch = parse_source_patch(boost::json::parse(json));
  return patch ? "" : patch.error().context;
}

Source made_from(std::string_view json) {
  const auto patch = parse_source_patch(boost::json::parse(json));
  EXPECT_TRUE(patch) << patch.error().context;
  Source source;
  EXPECT_TRUE(apply(*patch, source));
  return source;
}

TEST(SourcePatch, WrongFieldsAreNamedOneALine) {
  EXPECT_EQ(mistakes_of(R"({"name":"","slug":"A b","mode":"off","body_max":"64MiB"})"),
            "name: expected a text that is not empty\n"
            "slug: expected 1 to 63 of a-z, 0-9 and '-', not at the ends, given \"A b\"\n"
            "mode: expected one of active, record, paused, given \"off\"\n"
            "body_max: expected a size from 1 to 32MiB such as \"64KiB\", given \"64MiB\"");
  EXPECT_EQ(mistakes_of(R"({"nane":"x"})"), "unknown field 'nane' (did you mean 'name'?)");
  EXPECT_EQ(mistakes_of(R"({"rate_limit":{"per_second":-1,"brust":2}})"),
            "rate_limit.per_second: expected a number from 0 to 1000000, given -1\n"
            "rate_limit: unknown field 'brust' (did you mean 'burst'?)");
  EXPECT_NE(mistakes_of(R"({"idempotency":["id"]})").find("idempotency[0]: expected header:Name"),
            std::string::npos);
  EXPECT_NE(mistakes_of(R"({"idempotency":[1]})").find("idempotency[0]"), std::string::npos);
  EXPECT_NE(mistakes_of(R"({"event_type":"x y"})").find("event_type: expected header:Name"),
            std::string::npos);
  EXPECT_NE(mistakes_of(R"({"secret_headers":["a b"]})")
                .find("secret_headers[0]: expected a header name"),
            std::string::npos);
  EXPECT_NE(mistakes_of(R"({"public_url":"ftp://x/"})").find("public_url: "), std::string::npos);
  EXPECT_NE(mistakes_of(R"({"held":{"count":0}})").find("held.count: "), std::string::npos);
  EXPECT_NE(mistakes_of(R"({"name":"two\nlines"})").find("name: expected a text on one line"),
            std::string::npos);
  EXPECT_EQ(mistakes_of(R"({"id":"src_1"})"), "id: is set by Grapnel and cannot be given");
}

TEST(SourcePatch, BoundsOfListsAreKept) {
  std::string places = R"({"idempotency":[)";
  for (int i = 0; i < 17; ++i) places += i ? R"(,"/a")" : R"("/a")";
  EXPECT_NE(mistakes_of(places + "]}").find("at most 16"), std::string::npos);
}

TEST(SourcePatch, ANameIsRequiredToMakeASource) {
  Source source;
  const auto made = apply(SourcePatch{}, source);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().context, "name: is required");
  const auto nameless = apply(SourcePatch{.name = "日本"}, source);
  ASSERT_FALSE(nameless);
  EXPECT_NE(nameless.error().context.find("slug: could not be made"), std::string::npos);
}

TEST(SourcePatch, NoKeyAndNoTypeIsReadFromASecretHeader) {
  for (const std::string_view json :
       {R"({"name":"a","ordering_key":"header:authorization"})",
        R"({"name":"a","secret_headers":["X-Team"],"event_type":"header:x-team"})",
        R"({"name":"a","idempotency":["/id","header:X-Api-Key"]})"}) {
    const auto patch = parse_source_patch(boost::json::parse(json));
    ASSERT_TRUE(patch);
    Source source;
    const auto made = apply(*patch, source);
    ASSERT_FALSE(made) << json;
    EXPECT_NE(made.error().context.find("secret headers"), std::string::npos);
  }
}

TEST(SourcePatch, SlugComesFromTheNameOnlyWhereThereIsNone) {
  EXPECT_EQ(made_from(R"({"name":"My GitHub  Repo!"})").slug, "my-github-repo");
  EXPECT_EQ(made_from(R"({"name":"X","slug":"y"})").slug, "y");
  Source source = made_from(R"({"name":"First"})");
  ASSERT_TRUE(apply(SourcePatch{.name = "Second"}, source));
  EXPECT_EQ(source.slug, "first");
}

TEST(SourcePatch, FieldsThatAreAbsentStayAndNullGoesBackToTheDefault) {
  Source source =
      made_from(R"({"name":"A","mode":"paused","idempotency":["/id"],"event_type":"/type",
      "ordering_key":"header:X-Key","require_json":true,"body_max":"2MiB",
      "rate_limit":{"per_second":5},"secret_headers":["X-Secret"],"secret_query":["token"],
      "public_url":"https://hooks.example.com/","held":{"count":7,"bytes":"1GiB"}})");
  ASSERT_TRUE(apply(*parse_source_patch(boost::json::parse(R"({"name":"B"})")), source));
  EXPECT_EQ(source.mode, SourceMode::paused);
  EXPECT_EQ(source.idempotency->front().name, "/id");
  EXPECT_EQ(source.event_type->name, "/type");
  EXPECT_EQ(source.ordering_key->name, "X-Key");
  EXPECT_TRUE(source.require_json);
  EXPECT_EQ(source.body_bytes_max, 2_MiB);
  EXPECT_EQ(source.rate_limit, (RateLimit{5, 0}));
  EXPECT_EQ(source.held_bound, (BacklogBound{7, static_cast<std::int64_t>(1_GiB)}));
  ASSERT_TRUE(
      apply(*parse_source_patch(boost::json::parse(
                R"({"idempotency":null,"event_type":null,"ordering_key":null,"rate_limit":null})")),
            source));
  EXPECT_FALSE(source.idempotency);
  EXPECT_FALSE(source.event_type);
  EXPECT_FALSE(source.ordering_key);
  EXPECT_EQ(source.rate_limit, RateLimit{});
}

TEST(SourcePatch, AnEmptyIdempotencyListIsNotTheDefault) {
  const Source source = made_from(R"({"name":"A","idempotency":[]})");
  ASSERT_TRUE(source.idempotency);
  EXPECT_TRUE(source.idempotency->empty());
}

TEST(SourceJson, ShowsTheFieldsThatUsersKnow) {
  Source source = made_from(R"({"name":"A","idempotency":["header:X-Id"]})");
  const auto json = to_json(source);
  EXPECT_EQ(json.at("slug"), "a");
  EXPECT_EQ(json.at("mode"), "active");
  EXPECT_EQ(json.at("created_at"), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(json.at("idempotency").as_array().at(0), "header:X-Id");
  EXPECT_TRUE(json.at("event_type").is_null());
  EXPECT_EQ(json.at("body_max"), "1MiB");
  EXPECT_FALSE(json.contains("deleting"));
}

TEST(SourceJson, WhatIsShownIsUnderstoodWhenGivenBackWithoutReadOnlyFields) {
  auto json = to_json(made_from(R"({"name":"A","rate_limit":{"per_second":2,"burst":9}})"));
  for (const auto* name : {"id", "managed_by", "revision", "created_at", "updated_at",
                           "secret_fingerprints", "script_version"})
    json.erase(name);
  const auto patch = parse_source_patch(json);
  ASSERT_TRUE(patch) << patch.error().context;
  EXPECT_EQ(patch->rate_limit, (RateLimit{2, 9}));
}

TEST(Slug, OnlyWhatCanStandInAPathIsASlug) {
  for (const auto* text : {"", "-a", "a-", "A", "a_b", "a b", "a/b", "ä"})
    EXPECT_FALSE(is_slug(text)) << text;
  EXPECT_FALSE(is_slug(std::string(64, 'a')));
  EXPECT_TRUE(is_slug(std::string(63, 'a')));
  EXPECT_TRUE(is_slug("git-hub-1"));
}

TEST(Slug, MadeFromANameIsASlugOrNothing) {
  EXPECT_EQ(slug_from_name(" --A  b--C!! "), "a-b-c");
  EXPECT_EQ(slug_from_name("!!!"), "");
  EXPECT_EQ(slug_from_name(std::string(200, 'x')).size(), 63u);
  EXPECT_TRUE(is_slug(slug_from_name(std::string(62, 'x') + " y")));
}

}  // namespace
}  // namespace grapnel::model
