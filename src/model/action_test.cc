#include "model/action.h"

#include <gtest/gtest.h>

namespace grapnel::model {
namespace {

TEST(MatchesPattern, RefusesWhatOnlyResemblesThePattern) {
  EXPECT_FALSE(matches_pattern("push", "pus"));
  EXPECT_FALSE(matches_pattern("push", "pushed"));
  EXPECT_FALSE(matches_pattern("push", "Push"));
  EXPECT_FALSE(matches_pattern("pull_request.*", "pull_request"));
  EXPECT_FALSE(matches_pattern("*.opened", "issues.closed"));
  EXPECT_FALSE(matches_pattern("a*b*c", "acb"));
  EXPECT_FALSE(matches_pattern("", "x"));
  EXPECT_FALSE(matches_pattern("x", ""));
}

TEST(MatchesPattern, StarIsAnyRunOfCharactersTheEmptyOneIncluded) {
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("*", "anything.at.all"));
  EXPECT_TRUE(matches_pattern("pull_request.*", "pull_request.opened"));
  EXPECT_TRUE(matches_pattern("pull_request.*", "pull_request."));
  EXPECT_TRUE(matches_pattern("*.opened", "issues.opened.opened"));
  EXPECT_TRUE(matches_pattern("a*b*c", "a-b-b-c-c"));
  EXPECT_TRUE(matches_pattern("**", "x"));
  EXPECT_TRUE(matches_pattern("", ""));
}

TEST(MatchesPattern, ManyStarsStayCheap) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "*a";
  EXPECT_FALSE(
      matches_pattern(pattern + "b", std::string(256, 'a')));  // exponential if it recursed
}

TEST(Matches, DisabledOrDeletingActionTakesNothing) {
  Action action;
  action.desired = DesiredState::disabled;
  EXPECT_FALSE(matches(action, "push"));
  action.desired = DesiredState::active;
  action.deleting = true;
  EXPECT_FALSE(matches(action, "push"));
}

TEST(Matches, PausedRestingAndGoneActionsStillMatch) {
  Action action;
  action.desired = DesiredState::paused;
  EXPECT_TRUE(matches(action, "push"));
  action.desired = DesiredState::active;
  action.health = Health::resting;
  EXPECT_TRUE(matches(action, "push"));
  action.health = Health::gone;
  EXPECT_TRUE(matches(action, "push"));
}

TEST(Matches, OneOfSeveralTypesIsEnoughAndNoTypeMeansAll) {
  Action action;
  EXPECT_TRUE(matches(action, "whatever"));
  action.event_types = {"push", "issues.*"};
  EXPECT_TRUE(matches(action, "issues.opened"));
  EXPECT_FALSE(matches(action, "release.published"));
}

}  // namespace
}  // namespace grapnel::model
