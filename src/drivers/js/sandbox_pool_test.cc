#include "drivers/js/sandbox_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "drivers/js/pool_rig.h"

namespace grapnel::js {
namespace {

using model::ScriptFault;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(SandboxPool, RunsAScript) {
  PoolRig rig;
  EXPECT_EQ(rig.text(returning("{a: event.payload.n + 1, id: event.id}"), R"({"n":41})"),
            R"({"a":42,"id":"evt_1"})");
}

TEST(SandboxPool, HoldsNoWorkerBeforeTheFirstCall) {
  PoolRig rig;
  EXPECT_THAT(rig.pool.worker_pids(), IsEmpty());
  EXPECT_FALSE(rig.pool.health().available);
  EXPECT_THAT(rig.pool.health().reason, HasSubstr("no worker has been started"));
}

TEST(SandboxPool, SaysAfterAProbeThatItIsAvailable) {
  PoolRig rig;
  doubles::run(rig.loop, rig.pool.probe());
  EXPECT_TRUE(rig.pool.health().available) << rig.pool.health().reason;
  EXPECT_THAT(rig.pool.health().reason, IsEmpty());
  EXPECT_THAT(rig.pool.worker_pids(), SizeIs(1));
}

}  // namespace
}  // namespace grapnel::js
