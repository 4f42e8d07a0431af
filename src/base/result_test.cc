#include "base/result.h"

#include <gtest/gtest.h>

#include <array>

#include "base/check.h"

namespace grapnel {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(errc::out_of_range, "an odd number has no half");
  return number / 2;
}

TEST(Result, FailureCarriesCodeAndContext) {
  const auto result = half(3);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, errc::out_of_range);
  EXPECT_EQ(result.error().message(), "an odd number has no half");
}

TEST(Result, FailureWithoutContextSpeaksTheSentenceOfItsCode) {
  const Result<> result = fail(errc::malformed);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(), "malformed text");
}

TEST(Error, ConditionComesFromTheRoomsCategory) {
  const Error error{make_error_code(errc::malformed), ""};
  EXPECT_EQ(error.condition(), Condition::give_up);
  EXPECT_EQ(error.code, Condition::give_up);
  EXPECT_NE(error.code, Condition::retry_later);
}

TEST(Error, CodesOfForeignCategoriesCountAsGiveUp) {
  const Error error{std::make_error_code(std::errc::timed_out), ""};
  EXPECT_EQ(error.condition(), Condition::give_up);
}

TEST(ErrorTable, NumberThatIsNoValueGivesUpAndSaysSo) {
  for (const int value : {-1, 0, 3, 1'000}) {
    const Error error{make_error_code(static_cast<errc>(value)), ""};
    EXPECT_EQ(error.message(), "unknown error") << value;
    EXPECT_EQ(error.condition(), Condition::give_up) << value;
  }
}

TEST(ErrorTable, EachValueHasTheSentenceAndConditionOfItsRow) {
  static constexpr std::array kRows{ErrorRow{errc::malformed, "one", Condition::retry_later},
                                    ErrorRow{errc::out_of_range, "two", Condition::canceled}};
  static constinit const ErrorTable table("grapnel.test", kRows);
  EXPECT_STREQ(table.name(), "grapnel.test");
  EXPECT_EQ(table.message(1), "one");
  EXPECT_EQ(table.message(2), "two");
  EXPECT_EQ(table.condition_of(1), Condition::retry_later);
  EXPECT_EQ(std::error_code(2, table), Condition::canceled);
}

TEST(Condition, EveryValueHasASentence) {
  for (const Condition condition :
       {Condition::retry_later, Condition::reconnect, Condition::give_up, Condition::canceled}) {
    EXPECT_NE(make_error_condition(condition).message(), "unknown condition");
  }
  EXPECT_EQ(condition_category().message(99), "unknown condition");
}

TEST(CheckDeathTest, FailureNamesExpressionAndValues) {
  const int left = 1;
  const int right = 2;
  EXPECT_DEATH(GRAPNEL_CHECK(left == right, left, right), "check failed: left == right \\(1, 2\\)");
}

TEST(Check, ValuesOfAHoldingCheckAreNotComputed) {
  int computed = 0;
  GRAPNEL_CHECK(true, ++computed);
  EXPECT_EQ(computed, 0);
}

}  // namespace
}  // namespace grapnel
