#include "telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "telemetry/limits.h"

namespace grapnel::telemetry {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class MetricsTest : public ::testing::Test {
 protected:
  Metrics metrics_{{.version = "1.2.3"}};
};

TEST_F(MetricsTest, FullFamilyCountsUnderOther) {
  auto& family = metrics_.counters("received_total", "h", {"source", "status"});
  for (std::size_t i = 0; i < kLabelValuesMax; ++i) family.with({std::to_string(i), "ok"}).inc();
  family.with({"late", "ok"}).inc();
  family.with({"later", "ok"}).inc();
  family.with({"0", "ok"}).inc();  // known ones stay themselves
  for (std::size_t i = 0; i < 2 * kOtherSeriesMax; ++i) family.with({"x", std::to_string(i)}).inc();
  const std::string text = metrics_.expose();
  EXPECT_THAT(text, HasSubstr("received_total{source=\"_other\",status=\"ok\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("received_total{source=\"0\",status=\"ok\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("received_total{source=\"_other\",status=\"_other\"} 101\n"));
  EXPECT_THAT(text, Not(HasSubstr("late")));
  EXPECT_THAT(text, HasSubstr("grapnel_metrics_label_overflow_total 202\n"));
  EXPECT_EQ(family.series().size(), kLabelValuesMax + kOtherSeriesMax + 1);
}

TEST_F(MetricsTest, RemovedSeriesDisappearAndTheirHandlesStaySafe) {
  auto& received = metrics_.counters("received_total", "h", {"source", "status"});
  auto& depth = metrics_.gauges("depth", "h", {"action"});
  const Counter a = received.with({"a", "ok"});
  received.with({"a", "bad"}).inc();
  received.with({"b", "ok"}).inc();
  depth.with({"a"}).set(1);
  metrics_.remove("source", "a");
  a.inc();
  const std::string text = metrics_.expose();
  EXPECT_THAT(text, Not(HasSubstr("source=\"a\"")));
  EXPECT_THAT(text, HasSubstr("received_total{source=\"b\",status=\"ok\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("depth{action=\"a\"} 1\n"));  // the same value of another label
  EXPECT_EQ(received.with({"a", "ok"}).value(), 0U);
}

TEST_F(MetricsTest, RemovalMakesRoomAgain) {
  auto& family = metrics_.counters("c_total", "h", {"source"});
  for (std::size_t i = 0; i < kLabelValuesMax; ++i) family.with({std::to_string(i)});
  family.remove("source", "7");
  family.with({"new"}).inc();
  EXPECT_THAT(metrics_.expose(), HasSubstr("c_total{source=\"new\"} 1\n"));
}

TEST_F(MetricsTest, ExposesTheTextFormat) {
  metrics_.counter("a_total", "What a is.").inc(3);
  metrics_.gauge("b", "What b is.").set(-1.5);
  const Histogram histogram = metrics_.histogram("c_seconds", "What c is.", {0.1, 1});
  for (const double value : {0.05, 0.1, 0.5, 2.0}) histogram.observe(value);
  const std::string text = metrics_.expose();
  EXPECT_THAT(text, HasSubstr("# HELP a_total What a is.\n# TYPE a_total counter\na_total 3\n"));
  EXPECT_THAT(text, HasSubstr("# HELP b What b is.\n# TYPE b gauge\nb -1.5\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE c_seconds histogram\n"
                              "c_seconds_count 4\n"
                              "c_seconds_sum 2.65\n"
                              "c_seconds_bucket{le=\"0.1\"} 2\n"
                              "c_seconds_bucket{le=\"1\"} 3\n"
                              "c_seconds_bucket{le=\"+Inf\"} 4\n"));
}

TEST_F(MetricsTest, HostileLabelValuesAreEscapedAndCut) {
  auto& family = metrics_.counters("c_total", "h", {"name"});
  family.with({"a\"\n\\\xff"}).inc();
  family.with({std::string(10'000, 'x')}).inc();
  EXPECT_THAT(metrics_.expose(),
              AllOf(HasSubstr("c_total{name=\"a\\\"\\n\\\\\xef\xbf\xbd\"} 1\n"),
                    HasSubstr("{name=\"" + std::string(kLabelValueBytesMax, 'x') + "\"} 1\n")));
}

TEST_F(MetricsTest, TellsTheBuildAndTheProcess) {
  const std::string text = metrics_.expose();
  EXPECT_THAT(text, HasSubstr("grapnel_build_info{version=\"1.2.3\",compiler=\""));
  for (const char* name : {"process_resident_memory_bytes", "process_open_fds",
                           "process_start_time_seconds", "process_cpu_seconds_total"}) {
    EXPECT_THAT(text, HasSubstr(std::string("\n") + name + " "));
  }
}

TEST_F(MetricsTest, SameNameIsTheSameFamily) {
  metrics_.counter("a_total", "h").inc();
  metrics_.counter("a_total", "h").inc();
  EXPECT_EQ(metrics_.counter("a_total", "h").value(), 2U);
}

TEST_F(MetricsTest, SameNameForAnotherThingIsABug) {
  (void)metrics_.counter("a_total", "h");
  EXPECT_DEATH((void)metrics_.gauge("a_total", "h"), "a_total");
  EXPECT_DEATH((void)metrics_.counters("a_total", "h", {"x"}), "a_total");
  EXPECT_DEATH((void)metrics_.counter("not a name", "h"), "not a name");
}

TEST(Metrics, HandlesOutliveTheirMetricsAndEmptyOnesCountNowhere) {
  Counter kept;
  kept.inc();
  EXPECT_EQ(kept.value(), 0U);
  Gauge().set(1);
  Histogram().observe(1);
  {
    Metrics metrics({});
    kept = metrics.counter("a_total", "h");
  }
  kept.inc();
  EXPECT_EQ(kept.value(), 1U);
}

TEST(Metrics, CountsFromManyThreadsAreExact) {
  Metrics metrics({});
  const Counter counter = metrics.counter("a_total", "h");
  const Gauge gauge = metrics.gauge("b", "h");
  const Histogram histogram = metrics.histogram("c", "h", {1});
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) {
          counter.inc();
          gauge.add(1);
          histogram.observe(0.5);
          if (i % 100 == 0) (void)metrics.expose();
        }
      });
    }
  }
  EXPECT_EQ(counter.value(), 4000U);
  EXPECT_EQ(gauge.value(), 4000);
  EXPECT_EQ(histogram.count(), 4000U);
  EXPECT_EQ(histogram.sum(), 2000);
}

}  // namespace
}  // namespace grapnel::telemetry
