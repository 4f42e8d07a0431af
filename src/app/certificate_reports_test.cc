#include "app/certificate_reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "app/errors.h"

namespace grapnel::app {
namespace {

using testing::HasSubstr;

class CertificateReportsTest : public testing::Test {
 protected:
  static Result<> failed(const char* why) { return fail(errc::file_failed, why); }
  /// All lines so far; the log is closed by it.
  std::string logged() {
    log_.reset();
    return text_;
  }
  static std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
  }

  SystemClock clock_;
  std::string text_;
  std::optional<telemetry::Log> log_{std::in_place, clock_, telemetry::LogOptions{},
                                     [this](std::string_view line) { text_ += line; }};
  telemetry::Metrics metrics_{{.version = "1"}};
  CertificateReports reports_{*log_, metrics_};
};

TEST_F(CertificateReportsTest, EachErrorIsToldOnceAndEachFailureCounted) {
  for (int i = 0; i < 3; ++i) {
    reports_.note(failed("no key"));
    reports_.note(failed("bad key"));
  }
  EXPECT_THAT(metrics_.expose(), HasSubstr("\ntls_reload_failures_total 6\n"));
  const std::string text = logged();
  EXPECT_EQ(count(text, "no key"), 1u) << text;
  EXPECT_EQ(count(text, "bad key"), 1u) << text;
}

TEST_F(CertificateReportsTest, ErrorThatComesBackAfterASuccessIsToldAgain) {
  reports_.note(failed("no key"));
  reports_.note({});
  reports_.note(failed("no key"));
  EXPECT_EQ(count(logged(), "no key"), 2u);
}

TEST_F(CertificateReportsTest, NothingHappenedIsZero) {
  EXPECT_THAT(metrics_.expose(), HasSubstr("\ntls_reload_failures_total 0\n"));
}

}  // namespace
}  // namespace grapnel::app
