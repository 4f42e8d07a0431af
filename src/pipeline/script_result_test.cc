#include "pipeline/script_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/errors.h"

namespace grapnel::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct ScriptResultTest : testing::Test {
  model::SourceEntry entry;
  model::Event event;

  void SetUp() override {
    entry.source.slug = "demo";
    for (const char* name : {"one", "two"}) {
      auto action = std::make_shared<model::Action>();
      action->id.bytes[3] = static_cast<std::uint8_t>(entry.actions.size() + 1);
      action->name = name;
      entry.actions.push_back(action);
    }
    event.type = "push";
    event.body = R"({"a": 1})";
    event.headers = {{"Content-Type", "application/json"}, {"X-Old", "old"}};
  }
  Made read(std::string_view text) {
    auto made = read_made(text, event, entry);
    EXPECT_TRUE(made) << made.error().message();
    return made ? *made : Made{};
  }
  MadeEvent read_one(std::string_view text) {
    const Made made = read(text);
    EXPECT_EQ(made.kind, Made::Kind::event);
    return made.events.empty() ? MadeEvent{} : made.events.front();
  }
  std::string error_of(std::string_view text) {
    const auto made = read_made(text, event, entry);
    EXPECT_FALSE(made);
    return made ? "" : made.error().context;
  }
};

TEST_F(ScriptResultTest, NothingReturnedMeansDropped) {
  EXPECT_EQ(read("").kind, Made::Kind::dropped);
  EXPECT_EQ(read("[]").kind, Made::Kind::dropped);
}

TEST_F(ScriptResultTest, WhatIsOmittedStaysAsItWas) {
  const MadeEvent made = read_one("{}");
  EXPECT_FALSE(made.type);
  EXPECT_FALSE(made.body);
  EXPECT_FALSE(made.actions);
  EXPECT_TRUE(made.set_headers.empty());
}

TEST_F(ScriptResultTest, PayloadIsSentAsItIsWritten) {
  EXPECT_EQ(read_one(R"({"payload": {"b":[1.50,2], "c": "\u00e9"} })").body,
            R"({"b":[1.50,2], "c": "\u00e9"})");
  EXPECT_EQ(read_one(R"({"payload":null})").body, "null");
  EXPECT_EQ(read_one(R"({"payload":12345678901234567890123})").body, "12345678901234567890123");
  EXPECT_EQ(read_one(R"({"payload":"text"})").body, R"("text")");
}

TEST_F(ScriptResultTest, TextInPlaceOfABodyThatIsNoJsonIsSentAsItIs) {
  event.body = "a=1";
  event.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  const MadeEvent text = read_one(R"({"payload":"b=2\u0026c"})");
  EXPECT_EQ(text.body, "b=2&c");
  EXPECT_TRUE(text.set_headers.empty());
  const MadeEvent json = read_one(R"({"payload":{"b":2}})");
  EXPECT_EQ(json.body, R"({"b":2})");
  EXPECT_THAT(json.set_headers, ElementsAre(model::Header{"Content-Type", "application/json"}));
}

TEST_F(ScriptResultTest, TypeOfTheScriptForAJsonBodyIsKept) {
  event.headers = {};
  const MadeEvent made =
      read_one(R"({"payload":{},"headers":{"content-type":"application/x-mine"}})");
  EXPECT_THAT(made.set_headers, ElementsAre(model::Header{"content-type", "application/x-mine"}));
}

TEST_F(ScriptResultTest, EventItselfMayBeReturned) {
  const MadeEvent made =
      read_one(R"({"id":"evt_x","type":"push","source":"demo","received_at":"t","raw":"{}",)"
               R"("payload":{"a":2},)"
               R"("headers":{"content-type":"application/json","x-old":"old","x-new":"1"},)"
               R"("actions":[{"id":")" +
               entry.actions[0]->id.str() + R"(","name":"one"}]})");
  EXPECT_FALSE(made.type);
  EXPECT_EQ(made.body, R"({"a":2})");
  EXPECT_THAT(made.set_headers, ElementsAre(model::Header{"x-new", "1"}));
  EXPECT_THAT(*made.actions, ElementsAre(entry.actions[0]->id));
}

TEST_F(ScriptResultTest, HeadersAreSetRepeatedAndRemoved) {
  const MadeEvent made =
      read_one(R"({"headers":{"X-Num":5,"X-Flag":true,"X-List":["a","b"],"X-Old":null}})");
  EXPECT_THAT(made.set_headers,
              ElementsAre(model::Header{"X-Num", "5"}, model::Header{"X-Flag", "true"},
                          model::Header{"X-List", "a"}, model::Header{"X-List", "b"}));
  EXPECT_THAT(made.removed_headers, ElementsAre("X-Old"));
}

TEST_F(ScriptResultTest, SignatureHopByHopAndSecretHeadersAreNotTheScriptsToSet) {
  const MadeEvent made = read_one(
      R"({"headers":{"webhook-signature":"v1,x","Webhook-Id":"y","X-Webhook-Signature-256":"z",)"
      R"("Connection":"x","Transfer-Encoding":"chunked","Host":"evil","Content-Length":"1",)"
      R"("Authorization":"Bearer x","X-Forwarded-For":"1.2.3.4","traceparent":"00",)"
      R"("X-Grapnel-Attempt":"7","X_Forwarded_For":"1"}})");
  EXPECT_TRUE(made.set_headers.empty());
}

TEST_F(ScriptResultTest, ActionsAreFoundByIdAndByName) {
  const MadeEvent made = read_one(R"({"actions":["two",")" + entry.actions[0]->id.str() + R"("]})");
  EXPECT_THAT(*made.actions, ElementsAre(entry.actions[1]->id, entry.actions[0]->id));
  EXPECT_TRUE(read_one(R"({"actions":[]})").actions->empty());
  EXPECT_THAT(error_of(R"({"actions":["three"]})"), HasSubstr("no action 'three'"));
}

TEST_F(ScriptResultTest, ListMakesSeveralEvents) {
  const Made made = read(R"([{"payload":1},{"type":"other"}])");
  EXPECT_EQ(made.kind, Made::Kind::split);
  ASSERT_EQ(made.events.size(), 2U);
  EXPECT_EQ(made.events[0].body, "1");
  EXPECT_EQ(made.events[1].type, "other");
  EXPECT_EQ(read("[{}]").kind, Made::Kind::split);
}

TEST_F(ScriptResultTest, EachMistakeIsNamed) {
  EXPECT_THAT(error_of("5"), HasSubstr("it returned 5"));
  EXPECT_THAT(error_of(R"("x")"), HasSubstr("expected an object"));
  EXPECT_THAT(error_of("true"), HasSubstr("expected an object"));
  EXPECT_THAT(error_of("[1]"), HasSubstr("element 0 is no object"));
  EXPECT_THAT(error_of(R"([{},{"type":""}])"), HasSubstr("element 1"));
  EXPECT_THAT(error_of(R"({"header":{}})"), HasSubstr("field 'header'"));
  EXPECT_THAT(error_of(R"({"type":5})"), HasSubstr("type:"));
  EXPECT_THAT(error_of(R"({"headers":[]})"), HasSubstr("headers:"));
  EXPECT_THAT(error_of(R"({"headers":{"a b":"x"}})"), HasSubstr("'a b'"));
  EXPECT_THAT(error_of(R"({"headers":{"X-A":"x\ny"}})"), HasSubstr("headers.X-A"));
  EXPECT_THAT(error_of(R"({"headers":{"X-A":{}}})"), HasSubstr("headers.X-A"));
  EXPECT_THAT(error_of(R"({"actions":{}})"), HasSubstr("actions:"));
  EXPECT_THAT(error_of(R"({"actions":[5]})"), HasSubstr("actions:"));
  EXPECT_THAT(error_of(R"({"actions":[{"name":"one"}]})"), HasSubstr("objects with an id"));
}

TEST_F(ScriptResultTest, HostileBytesAreNoResult) {
  for (const char* text : {"{", R"({"payload":})", R"({"payload":{"a":tru}})", "{} {}", "\xff",
                           "[{]", R"({"a)", "nul"}) {
    EXPECT_FALSE(read_made(text, event, entry)) << text;
  }
}

TEST_F(ScriptResultTest, BodiesOfSplitsAreBoundedTogether) {
  event.body_size = model::kSplitBytesMax / 2;
  EXPECT_EQ(read("[{},{}]").events.size(), 2U);
  EXPECT_THAT(error_of("[{},{},{}]"), HasSubstr("32MiB in all"));
}

TEST_F(ScriptResultTest, HalfACharacterIsReplaced) {
  EXPECT_EQ(read_one(R"({"payload":"a\ud800b \\ud800 \udfff"})").body,
            R"("a\ufffdb \\ud800 \ufffd")");
}

TEST_F(ScriptResultTest, TypeIsOneLine) {
  EXPECT_THAT(error_of(R"({"type":"a\nb"})"), HasSubstr("on one line"));
}

TEST_F(ScriptResultTest, DeliveriesOfSplitsAreBounded) {
  for (int i = 2; i < 20; ++i) entry.actions.push_back(entry.actions[0]);
  std::string list = "[{}";
  for (int i = 1; i < 600; ++i) list += ",{}";
  EXPECT_THAT(error_of(list + "]"), HasSubstr("600 events for 20 actions"));
}

TEST_F(ScriptResultTest, EachActionIsNamedOnce) {
  EXPECT_THAT(error_of(R"({"actions":["one","two","one"]})"), HasSubstr("at most once"));
}

TEST_F(ScriptResultTest, NumberOfEventsAndHeadersIsBounded) {
  std::string list = "[{}";
  for (std::size_t i = 0; i < model::kSplitEventsMax; ++i) list += ",{}";
  EXPECT_THAT(error_of(list + "]"), HasSubstr("more than 1000 events"));
  std::string headers = R"({"headers":{"X-0":"0")";
  for (std::size_t i = 1; i <= model::kHeadersMax; ++i) {
    headers += ",\"X-" + std::to_string(i) + "\":\"1\"";
  }
  EXPECT_THAT(error_of(headers + "}}"), HasSubstr("headers: expected at most"));
}

}  // namespace
}  // namespace grapnel::pipeline
