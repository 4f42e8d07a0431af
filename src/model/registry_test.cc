#include "model/registry.h"

#include <gtest/gtest.h>

namespace grapnel::model {
namespace {

template <class IdType>
IdType id_of(std::uint8_t byte) {
  IdType id;
  id.bytes.fill(byte);
  return id;
}

/// One live source "live" with an action, and one that is being deleted.
RegistrySnapshot snapshot_of_two() {
  const auto action = std::make_shared<Action>();
  action->id = id_of<ActionId>(1);
  const auto live = std::make_shared<SourceEntry>();
  live->source.id = id_of<SourceId>(2);
  live->actions = {action};
  const auto deleting = std::make_shared<SourceEntry>();
  deleting->source.id = id_of<SourceId>(3);
  deleting->source.deleting = true;

  RegistrySnapshot snapshot;
  snapshot.sources = {{live->source.id, live}, {deleting->source.id, deleting}};
  snapshot.slugs = {{"live", live->source.id}};
  snapshot.action_sources = {{action->id, live->source.id}};
  return snapshot;
}

TEST(RegistrySnapshot, UnknownThingsAreNull) {
  const RegistrySnapshot snapshot = snapshot_of_two();
  EXPECT_EQ(snapshot.find_source("other"), nullptr);
  EXPECT_EQ(snapshot.find_source(id_of<SourceId>(9)), nullptr);
  EXPECT_EQ(snapshot.find_action(id_of<ActionId>(9)), nullptr);
}

TEST(RegistrySnapshot, DeletingSourceIsFoundByIdOnly) {
  const RegistrySnapshot snapshot = snapshot_of_two();
  ASSERT_NE(snapshot.find_source(id_of<SourceId>(3)), nullptr);
  EXPECT_TRUE(snapshot.find_source(id_of<SourceId>(3))->source.deleting);
}

TEST(RegistrySnapshot, LiveSourceAndItsActionAreFound) {
  const RegistrySnapshot snapshot = snapshot_of_two();
  ASSERT_NE(snapshot.find_source("live"), nullptr);
  EXPECT_EQ(snapshot.find_source("live")->source.id, id_of<SourceId>(2));
  ASSERT_NE(snapshot.find_action(id_of<ActionId>(1)), nullptr);
}

}  // namespace
}  // namespace grapnel::model
