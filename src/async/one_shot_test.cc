#include "async/one_shot.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "async/scope.h"

namespace grapnel::async {
namespace {

using Values = std::vector<int>;

Task<> take(OneShot<int>& shot, Values& out) { out.push_back(co_await shot.wait()); }

Task<> take_owned(OneShot<std::unique_ptr<int>>& shot, Values& out) {
  const std::unique_ptr<int> value = co_await shot.wait();
  out.push_back(*value);
}

Task<> take_then_set(OneShot<int>& first, OneShot<int>& second) {
  second.set(co_await first.wait() + 1);
}

TEST(OneShot, ValueSetBeforeTheWaitIsThere) {
  Loop loop;
  Values out;
  OneShot<int> shot(loop.get_executor());
  Scope scope(loop.get_executor());
  shot.set(7);
  scope.spawn(take(shot, out));
  loop.run();
  EXPECT_EQ(out, Values{7});
}

TEST(OneShot, ValueSetAfterTheWaitResumesOnTheLoopNotInTheSetter) {
  Loop loop;
  Values out;
  OneShot<int> shot(loop.get_executor());
  Scope scope(loop.get_executor());
  scope.spawn(take(shot, out));
  loop.poll();
  shot.set(7);
  EXPECT_TRUE(out.empty());
  loop.restart();
  loop.run();
  EXPECT_EQ(out, Values{7});
}

TEST(OneShot, CarriesValuesThatOnlyMove) {
  Loop loop;
  Values out;
  OneShot<std::unique_ptr<int>> shot(loop.get_executor());
  Scope scope(loop.get_executor());
  scope.spawn(take_owned(shot, out));
  loop.poll();
  shot.set(std::make_unique<int>(9));
  loop.restart();
  loop.run();
  EXPECT_EQ(out, Values{9});
}

TEST(OneShot, ChainsWithoutRecursion) {
  Loop loop;
  Values out;
  std::vector<std::unique_ptr<OneShot<int>>> shots;
  for (int i = 0; i <= 10'000; ++i) {
    shots.push_back(std::make_unique<OneShot<int>>(loop.get_executor()));
  }
  Scope scope(loop.get_executor());
  for (std::size_t i = 0; i + 1 < shots.size(); ++i) {
    scope.spawn(take_then_set(*shots[i], *shots[i + 1]));
  }
  scope.spawn(take(*shots.back(), out));
  loop.poll();
  shots.front()->set(0);
  loop.restart();
  loop.run();
  EXPECT_EQ(out, Values{10'000});
}

TEST(OneShot, CanceledWaiterStillGetsItsValue) {
  Loop loop;
  Values out;
  OneShot<int> shot(loop.get_executor());
  Scope scope(loop.get_executor());
  scope.spawn(take(shot, out));
  loop.poll();
  scope.cancel();
  loop.restart();
  loop.poll();
  EXPECT_EQ(scope.running(), 1U);
  shot.set(7);
  loop.restart();
  loop.run();
  EXPECT_EQ(out, Values{7});
}

TEST(OneShotDeathTest, SecondValueIsABug) {
  Loop loop;
  OneShot<int> shot(loop.get_executor());
  shot.set(1);
  EXPECT_DEATH(shot.set(2), "check failed");
}

}  // namespace
}  // namespace grapnel::async
