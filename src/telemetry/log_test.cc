#include "telemetry/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <semaphore>
#include <string>
#include <thread>
#include <vector>

namespace grapnel::telemetry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const SystemClock kClock;

/// What the log wrote, read after the log is gone.
struct Lines {
  std::vector<std::string> lines;
  LogSink sink() {
    return [this](std::string_view line) { lines.emplace_back(line); };
  }
};

TEST(Log, WritesWhatIsQueuedBeforeItGoes) {
  Lines out;
  {
    Log log(kClock, {}, out.sink());
    for (int i = 0; i < 100; ++i) log.info("line", {{"number", i}});
  }
  ASSERT_EQ(out.lines.size(), 100U);
  EXPECT_THAT(out.lines[99], HasSubstr(R"("number":99})"));
}

TEST(Log, LevelDecidesWhatIsWritten) {
  Lines out;
  {
    Log log(kClock, {.level = Level::warn}, out.sink());
    EXPECT_FALSE(log.enabled(Level::info));
    log.info("no");
    log.warn("yes");
    log.error("yes too");
    Log silent(kClock, {.level = Level::off}, out.sink());
    silent.error("no");
  }
  EXPECT_THAT(out.lines, ElementsAre(HasSubstr("yes"), HasSubstr("yes too")));
}

TEST(Log, FullQueueDropsTheOldestAndNeverBlocks) {
  std::binary_semaphore first_taken(0);
  std::binary_semaphore go_on(0);
  std::vector<std::string> lines;
  {
    Log log(kClock, {.queue_max = 4}, [&](std::string_view line) {
      if (lines.empty()) {
        first_taken.release();
        go_on.acquire();  // a reader that does not read
      }
      lines.emplace_back(line);
    });
    log.info("first");
    first_taken.acquire();
    for (int i = 0; i < 10; ++i) log.info("line", {{"number", i}});
    EXPECT_EQ(log.dropped(), 6U);
    go_on.release();
  }
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_THAT(lines[1], HasSubstr(R"("number":6)"));
  EXPECT_THAT(lines[4], HasSubstr(R"("number":9)"));
}

TEST(Log, ThreadsWriteWholeLines) {
  Lines out;
  {
    Log log(kClock, {}, out.sink());
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < 100; ++i) log.info("line", {{"thread", t}});
      });
    }
  }
  ASSERT_EQ(out.lines.size(), 400U);
  for (const std::string& line : out.lines) {
    EXPECT_TRUE(line.starts_with(R"({"time":")") && line.ends_with("}\n")) << line;
  }
}

TEST(Log, WritesToStandardError) {
  ::testing::internal::CaptureStderr();
  {
    Log(kClock, {.format = LogFormat::text}).info("hello");
  }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr(" INFO  hello\n"));
}

}  // namespace
}  // namespace grapnel::telemetry
