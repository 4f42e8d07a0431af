#include "drivers/sqlite/data_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/store_harness.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

TEST(DataLock, SecondOwnerIsToldWhoHoldsTheDirectory) {
  StoreHarness harness;
  harness.open();
  doubles::ManualClock clock;
  SeededRandom random(2);
  const auto second = Store::open(harness.options, clock, random, harness.loop.get_executor());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::locked);
  EXPECT_NE(second.error().message().find("process " + std::to_string(::getpid())),
            std::string::npos)
      << second.error().message();
}

TEST(DataLock, IsFreeOnceItsOwnerHasGone) {
  StoreHarness harness;
  {
    ASSERT_TRUE(DataLock::acquire(harness.folder));
  }
  EXPECT_TRUE(DataLock::acquire(harness.folder));
}

TEST(DataLock, FolderThatCannotBeMadeIsNamed) {
  const auto lock = DataLock::acquire("/proc/grapnel");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, model::errc::store_read_only);
  EXPECT_NE(lock.error().message().find("/proc/grapnel"), std::string::npos);
}

}  // namespace
}  // namespace grapnel::sqlite
