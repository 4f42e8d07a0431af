#include "pipeline/script_event.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "model/transform.h"

namespace grapnel::pipeline {
namespace {

model::SourceEntry entry_with(std::vector<model::Action> actions) {
  model::SourceEntry entry;
  entry.source.id.bytes[0] = 7;
  entry.source.slug = "demo";
  for (auto& action : actions) {
    action.source = entry.source.id;
    entry.actions.push_back(std::make_shared<const model::Action>(std::move(action)));
  }
  return entry;
}

model::Action action_named(const std::string& name, model::DesiredState desired) {
  model::Action action;
  action.id.bytes[1] = static_cast<std::uint8_t>(name.size());
  action.name = name;
  action.target_url = "https://one.test/" + name;
  action.desired = desired;
  return action;
}

TEST(ScriptEvent, HeadersAreInLowerCaseAndThoseOfOneNameAreJoined) {
  model::Event event;
  event.headers = {
      {"X-Two", "a"}, {"Content-Type", "text/plain"}, {"x-two", "b"}, {"X-Bad", "\xff"}};
  const auto json = boost::json::parse(script_event(event, entry_with({})));
  EXPECT_EQ(json.at("headers").at("x-two").as_string(), "a, b");
  EXPECT_EQ(json.at("headers").at("content-type").as_string(), "text/plain");
  EXPECT_EQ(json.at("headers").at("x-bad").as_string(), "\xef\xbf\xbd");
  EXPECT_EQ(joined_header(event.headers, "X-TWO"), "a, b");
  EXPECT_FALSE(joined_header(event.headers, "x-three"));
}

TEST(ScriptEvent, ShowsTheActionsThatMayTakeItAndNotTheTransform) {
  model::Action transform = action_named("transform", model::DesiredState::active);
  transform.type = model::kTransform;
  const auto entry = entry_with({transform, action_named("a", model::DesiredState::active),
                                 action_named("bb", model::DesiredState::disabled),
                                 action_named("ccc", model::DesiredState::paused)});
  const auto json = boost::json::parse(script_event({}, entry));
  const auto& actions = json.at("actions").as_array();
  ASSERT_EQ(actions.size(), 2U);
  EXPECT_EQ(actions[0].at("name").as_string(), "a");
  EXPECT_EQ(actions[0].at("type").as_string(), "webhook");
  EXPECT_EQ(actions[0].at("target_url").as_string(), "https://one.test/a");
  EXPECT_EQ(actions[1].at("name").as_string(), "ccc");
}

TEST(ScriptEvent, NamesItselfItsTypeItsSourceAndItsTime) {
  model::Event event;
  event.type = "push";
  event.received = Time{Millis{1'700'000'000'000}};
  const auto json = boost::json::parse(script_event(event, entry_with({})));
  EXPECT_EQ(json.at("id").as_string(), event.id.str());
  EXPECT_EQ(json.at("type").as_string(), "push");
  EXPECT_EQ(json.at("source").as_string(), "demo");
  EXPECT_EQ(json.at("received_at").as_string(), to_rfc3339(event.received));
}

}  // namespace
}  // namespace grapnel::pipeline
