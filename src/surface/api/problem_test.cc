#include "surface/api/problem.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "async/errors.h"
#include "model/errors.h"

namespace grapnel::api {
namespace {

TEST(Problem, StoreErrorsAre503WithRetryAfterNeverAnythingElse) {
  for (const auto code :
       {model::errc::store_unavailable, model::errc::store_full, model::errc::store_read_only}) {
    const auto answer = to_answer(Error{make_error_code(code), "down"});
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(model::find_header(answer.headers, "Retry-After"), "5");
  }
  EXPECT_EQ(to_answer(Error{make_error_code(async::errc::queue_full), ""}).status, 503);
}

TEST(Problem, EveryErrorOfTheDomainHasAStatusBelow500ButDamage) {
  for (int code = static_cast<int>(model::errc::not_found);
       code <= static_cast<int>(model::errc::too_many); ++code) {
    const auto error = static_cast<model::errc>(code);
    const int status = to_answer(Error{make_error_code(error), ""}).status;
    EXPECT_EQ(status >= 500, error == model::errc::body_damaged) << code;
  }
}

TEST(Problem, TextsOfClientsCannotBreakTheDocument) {
  const auto answer = to_answer(Problem{400, "invalid", "a \"b\" \\ \x01 \xff", {}});
  const auto value = boost::json::parse(answer.body);
  EXPECT_EQ(value.at("title"), "Bad Request");
  EXPECT_EQ(value.at("status"), 400);
  EXPECT_EQ(value.at("type"), "urn:grapnel:problem:invalid");
  EXPECT_EQ(model::find_header(answer.headers, "Content-Type"), "application/problem+json");
}

TEST(Problem, SeveralMistakesAreAllListed) {
  const auto answer = to_answer(Error{make_error_code(model::errc::malformed), "a: x\nb: y"});
  const auto value = boost::json::parse(answer.body);
  EXPECT_EQ(value.at("detail"), "a: x");
  EXPECT_EQ(value.at("errors"), boost::json::parse(R"(["a: x","b: y"])"));
}

TEST(Problem, RetryAfterIsRoundedUpToWholeSeconds) {
  const auto of = [](Millis wait) {
    return std::string(
        *model::find_header(to_answer(Problem{429, "x", "", wait}).headers, "Retry-After"));
  };
  EXPECT_EQ(of(Millis{1}), "1");
  EXPECT_EQ(of(Millis{0}), "1");
  EXPECT_EQ(of(Millis{1001}), "2");
}

}  // namespace
}  // namespace grapnel::api
