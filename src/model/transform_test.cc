#include "model/transform.h"

#include <gtest/gtest.h>

namespace grapnel::model {
namespace {

struct TransformTest : testing::Test {
  SourceEntry entry;
  void SetUp() override { entry.source.id.bytes[0] = 9; }
  void give_script() { entry.source.script = std::make_shared<const Script>(); }
  void add(Action action) {
    action.source = entry.source.id;
    entry.actions.push_back(std::make_shared<const Action>(std::move(action)));
  }
};

TEST_F(TransformTest, NobodyWantsOneWithoutAScript) { EXPECT_FALSE(wanted_transform(entry)); }

TEST_F(TransformTest, IsMadeOnceForAScriptAndLeftAloneAfterwards) {
  give_script();
  const auto made = wanted_transform(entry);
  ASSERT_TRUE(made);
  EXPECT_TRUE(is_transform(*made));
  EXPECT_EQ(made->id, transform_of(entry.source.id));
  add(*made);
  EXPECT_FALSE(wanted_transform(entry));
  entry.source.script = nullptr;
  EXPECT_FALSE(wanted_transform(entry));
}

TEST_F(TransformTest, FollowsWhetherAnyActionBlocks) {
  give_script();
  add(*wanted_transform(entry));
  Action blocking;
  blocking.id.bytes[1] = 1;
  blocking.on_dead = OnDead::block;
  add(blocking);
  const auto changed = wanted_transform(entry);
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->on_dead, OnDead::block);
}

TEST_F(TransformTest, EventsOfAClearedScriptGoThroughOnlyBehindOthersOfAKey) {
  EXPECT_FALSE(goes_through_transform(entry, Keyed::no, 5));
  EXPECT_TRUE(goes_through_transform(entry, Keyed::yes, 5));
  EXPECT_FALSE(goes_through_transform(entry, Keyed::yes, 0));
  give_script();
  EXPECT_TRUE(goes_through_transform(entry, Keyed::no, 0));
}

}  // namespace
}  // namespace grapnel::model
