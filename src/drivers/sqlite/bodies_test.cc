#include "drivers/sqlite/bodies.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "drivers/sqlite/store_harness.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

struct BodiesTest : testing::Test {
  StoreHarness harness;
  StallWatch stalls{kStallMax};
  Bodies bodies{harness.folder + "/bodies", 5, harness.random, stalls};

  void SetUp() override { ASSERT_TRUE(bodies.open()); }
};

TEST_F(BodiesTest, MissingFileIsBodyGone) {
  const auto read = bodies.read("5-0000000000000000");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, model::errc::body_gone);
}

TEST_F(BodiesTest, LinkInTheBodysPlaceIsDamageAndIsNotFollowed) {
  std::ofstream(harness.folder + "/secret") << "secret";
  std::filesystem::create_symlink(harness.folder + "/secret", harness.folder + "/bodies/5-aa");
  const auto read = bodies.read("5-aa");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, model::errc::body_damaged);
}

TEST_F(BodiesTest, WritesBytesAsTheyAre) {
  const std::string body("a\0b\xff", 4);
  const auto name = bodies.write(body);
  ASSERT_TRUE(name);
  EXPECT_EQ(bodies.read(*name), body);
}

TEST_F(BodiesTest, LargeOnesAreWrittenWhole) {
  for (const std::size_t size : {kWriteBackBytes, 3 * kWriteBackBytes + 1}) {
    std::string body;
    while (body.size() < size) body += static_cast<char>(body.size() * 7 % 251);
    EXPECT_EQ(bodies.read(bodies.write(body).value()), body);
  }
}

TEST_F(BodiesTest, RemovalWaitsForTheLastHold) {
  const auto name = bodies.write("x").value();
  auto first = bodies.hold();
  auto second = bodies.hold();
  bodies.remove(name);
  first.reset();
  EXPECT_TRUE(bodies.read(name));
  second.reset();
  EXPECT_FALSE(bodies.read(name));
  const auto other = bodies.write("y").value();
  bodies.remove(other);
  EXPECT_FALSE(bodies.read(other));
}

TEST_F(BodiesTest, FormerAreThoseOfLowerEpochsOnly) {
  for (const char* name : {"4-aa", "5-bb", "6-cc", "zz", "12", "-x"}) {
    std::ofstream(harness.folder + "/bodies/" + name) << "x";
  }
  EXPECT_EQ(bodies.former(), std::vector<std::string>{"4-aa"});
}

}  // namespace
}  // namespace grapnel::sqlite
