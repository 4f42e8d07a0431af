#include "surface/cli/verify.h"

#include <gtest/gtest.h>

#include "surface/cli/run.h"
#include "surface/cli/scripted_terminal.h"

namespace grapnel::cli {
namespace {

constexpr std::string_view kSecret = "It's a Secret to Everybody";
constexpr std::string_view kGood =
    "POST /webhooks/gh HTTP/1.1\r\nContent-Type: text/plain\r\n"
    "X-Hub-Signature-256: "
    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17\r\n\r\nHello, World!";

class Verify : public ::testing::Test {
 protected:
  int run_with(std::string captured, std::vector<std::string> arguments) {
    terminal_.standard_input = std::move(captured);
    terminal_.variables["SECRET"] = kSecret;
    return run(std::move(arguments), terminal_.environment());
  }

  ScriptedTerminal terminal_;
};

TEST_F(Verify, ACapturedRequestIsJudgedHere) {
  EXPECT_EQ(run_with(std::string(kGood),
                     {"verify", "--provider", "github", "--secret-env", "SECRET", "-"}),
            0);
  EXPECT_NE(terminal_.out.find("yes"), std::string::npos) << terminal_.out;
  EXPECT_EQ(terminal_.out.find(kSecret), std::string::npos);
}

TEST_F(Verify, WhatDoesNotVerifyIsExplainedWithoutWhatWouldForgeIt) {
  EXPECT_EQ(run_with(std::string(kGood) + "!",
                     {"verify", "--provider", "github", "--secret-env", "SECRET", "-"}),
            1);
  EXPECT_NE(terminal_.out.find("no_match"), std::string::npos) << terminal_.out;
  EXPECT_NE(terminal_.out.find("14 bytes"), std::string::npos) << terminal_.out;
  EXPECT_NE(terminal_.out.find("does not match"), std::string::npos) << terminal_.out;
  EXPECT_EQ(terminal_.out.find(kSecret), std::string::npos);
}

TEST_F(Verify, ArgumentsThatMakeNoSenseAreUsage) {
  EXPECT_EQ(run_with("", {"verify", "-"}), 2);
  EXPECT_EQ(run_with("", {"verify", "--provider", "github", "-"}), 2);
  EXPECT_EQ(run_with("", {"verify", "--provider", "nobody", "--secret-env", "SECRET", "-"}), 2);
  EXPECT_EQ(
      run_with("no header\n\n", {"verify", "--provider", "github", "--secret-env", "SECRET", "-"}),
      2);
}

}  // namespace
}  // namespace grapnel::cli
