// A kernel that refuses a part of the sandbox: a filter on the thread of the loop, which its
// children inherit, says no for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <functional>
#include <string>
#include <thread>

#include "drivers/js/pool_rig.h"

namespace grapnel::js {
namespace {

using model::SandboxPart;
using model::ScriptFault;
using ::testing::HasSubstr;

void refuse(SandboxPart part) {
  const auto filter = seccomp_init(SCMP_ACT_ALLOW);
  const auto no = SCMP_ACT_ERRNO(EPERM);
  if (part == SandboxPart::seccomp) {
    ASSERT_EQ(seccomp_rule_add(filter, no, SCMP_SYS(seccomp), 0), 0);
    const scmp_arg_cmp mode{.arg = 0, .op = SCMP_CMP_EQ, .datum_a = PR_SET_SECCOMP, .datum_b = 0};
    ASSERT_EQ(seccomp_rule_add(filter, no, SCMP_SYS(prctl), 1, mode), 0);
  } else {
    const scmp_arg_cmp space{.arg = 1, .op = SCMP_CMP_EQ, .datum_a = RLIMIT_AS, .datum_b = 0};
    ASSERT_EQ(seccomp_rule_add(filter, no, SCMP_SYS(prlimit64), 1, space), 0);
    const scmp_arg_cmp old{.arg = 0, .op = SCMP_CMP_EQ, .datum_a = RLIMIT_AS, .datum_b = 0};
    ASSERT_EQ(seccomp_rule_add(filter, no, SCMP_SYS(setrlimit), 1, old), 0);
  }
  ASSERT_EQ(seccomp_load(filter), 0);
  seccomp_release(filter);
}

/// What `look` sees of a pool whose kernel refuses `part`.
void with_refused(SandboxPart part, SandboxOptions options,
                  const std::function<void(PoolRig&)>& look) {
  std::thread([&] {
    refuse(part);
    PoolRig rig(std::move(options));
    doubles::run(rig.loop, rig.pool.probe());
    look(rig);
  }).join();
}

TEST(RefusedParts, MakeThePoolUnavailableInOneSentence) {
  with_refused(SandboxPart::seccomp, {}, [](PoolRig& rig) {
    EXPECT_FALSE(rig.pool.health().available);
    EXPECT_EQ(rig.pool.health().reason,
              "scripts are refused, because the kernel refuses a part of their sandbox (seccomp: "
              "Operation not permitted), unless the settings let them go without seccomp");
    EXPECT_TRUE(rig.pool.worker_pids().empty());
  });
  with_refused(SandboxPart::memory, {}, [](PoolRig& rig) {
    EXPECT_FALSE(rig.pool.health().available);
    EXPECT_THAT(rig.pool.health().reason, HasSubstr("(memory: Operation not permitted)"));
  });
}

TEST(RefusedParts, RefuseScriptsAndSayWhy) {
  with_refused(SandboxPart::seccomp, {}, [](PoolRig& rig) {
    const Outcome outcome = rig.run(returning("1"));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().fault, ScriptFault::unavailable);
    EXPECT_EQ(outcome.error().message, rig.pool.health().reason);
    EXPECT_EQ(rig.check(returning("1")).fault, ScriptFault::unavailable);
  });
}

TEST(RefusedParts, CanBeDoneWithoutWhereTheyAreNamed) {
  with_refused(SandboxPart::seccomp, {.allow_without = {SandboxPart::seccomp}}, [](PoolRig& rig) {
    EXPECT_TRUE(rig.pool.health().available);
    EXPECT_THAT(rig.pool.health().reason, HasSubstr("without a part of their sandbox"));
    EXPECT_EQ(rig.text(returning("1")), "1");
  });
  with_refused(SandboxPart::memory, {.allow_without = {SandboxPart::memory}}, [](PoolRig& rig) {
    EXPECT_TRUE(rig.pool.health().available);
    EXPECT_EQ(rig.text(returning("1")), "1");
  });
}

TEST(RefusedParts, AreNotAllowedByTheNameOfAnother) {
  with_refused(SandboxPart::seccomp, {.allow_without = {SandboxPart::memory}}, [](PoolRig& rig) {
    EXPECT_FALSE(rig.pool.health().available);
    EXPECT_EQ(rig.text(returning("1")).substr(0, 2), "8:");
  });
}

}  // namespace
}  // namespace grapnel::js
